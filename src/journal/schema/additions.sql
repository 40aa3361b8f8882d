-- What came later and what the versions before need not know: they open, write and prove a journal that has it, so the
-- number of the schema stays. Every statement does nothing where its work is done; all of it runs at each open.

-- How far the hub has the journal, and which of its commands were done. One row.
-- acknowledged  every entry up to this place is the hub's too
-- handled       number of the newest command that was done or refused
CREATE TABLE IF NOT EXISTS sync (
    id           INTEGER PRIMARY KEY CHECK (id = 1),
    acknowledged INTEGER NOT NULL CHECK (acknowledged >= 0),
    handled      INTEGER NOT NULL CHECK (handled >= 0)
) STRICT;

INSERT INTO sync (id, acknowledged, handled) SELECT 1, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM sync);

-- Entries that the hub refused for good. Their orders stay for ever, for a person to look at.
CREATE TABLE IF NOT EXISTS set_aside (
    seq      INTEGER PRIMARY KEY,
    order_id TEXT    NOT NULL,
    code     TEXT    NOT NULL,
    detail   TEXT    NOT NULL,
    at_ms    INTEGER NOT NULL
) STRICT;

CREATE INDEX IF NOT EXISTS set_aside_by_order ON set_aside (order_id);

-- What became of the hub's commands, until the hub knows.
CREATE TABLE IF NOT EXISTS command_results (
    number  INTEGER PRIMARY KEY,
    outcome TEXT    NOT NULL CHECK (outcome IN ('done', 'refused')),
    detail  TEXT    NOT NULL
) STRICT;

-- Places that retention emptied, neighbours in one row: prev is what the first of them was tied to, hash is the hash of
-- the last. So the chain can be followed across.
CREATE TABLE IF NOT EXISTS gaps (
    first_seq INTEGER PRIMARY KEY CHECK (first_seq > 0),
    last_seq  INTEGER NOT NULL CHECK (last_seq >= first_seq),
    prev      BLOB    NOT NULL CHECK (length(prev) = 32),
    hash      BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE TRIGGER IF NOT EXISTS gaps_are_acknowledged BEFORE INSERT ON gaps
WHEN NEW.last_seq > (SELECT acknowledged FROM sync)
BEGIN
    SELECT RAISE(ABORT, 'the journal is append-only: the hub does not have this entry yet');
END;

-- Takes the place of entries_are_not_deleted.
CREATE TRIGGER IF NOT EXISTS entries_stay_but_in_gaps BEFORE DELETE ON entries
WHEN OLD.seq > coalesce((SELECT last_seq FROM gaps WHERE first_seq <= OLD.seq ORDER BY first_seq DESC LIMIT 1), 0)
BEGIN
    SELECT RAISE(ABORT, 'the journal is append-only: an entry is never deleted');
END;

DROP TRIGGER IF EXISTS entries_are_not_deleted;

-- Attempts that spend of a member or voucher code; derived, like orders.
-- paid_seq  place of the entry that says it was paid; NULL as long as it was not
-- refunded  what went back, in fen
CREATE TABLE IF NOT EXISTS voucher_uses (
    opened_seq INTEGER NOT NULL,
    attempt    TEXT    NOT NULL,
    code       TEXT    NOT NULL,
    once       INTEGER NOT NULL CHECK (once IN (0, 1)),
    expires_ms INTEGER NOT NULL,
    amount     INTEGER NOT NULL,
    paid_seq   INTEGER,
    refunded   INTEGER NOT NULL,
    PRIMARY KEY (opened_seq, attempt)
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS voucher_uses_by_payment ON voucher_uses (paid_seq);

-- Those of set_aside that a person has seen: their fault does not come back with the next start.
CREATE TABLE IF NOT EXISTS set_aside_seen (
    seq INTEGER PRIMARY KEY
) STRICT;

-- Refunds that a person asked for and no other one decided about; derived, like orders. No version before wrote one.
-- asked_seq  place of the entry that asks
CREATE TABLE IF NOT EXISTS refunds_asked (
    asked_seq  INTEGER PRIMARY KEY,
    opened_seq INTEGER NOT NULL,
    refund     TEXT    NOT NULL
) STRICT;

CREATE INDEX IF NOT EXISTS refunds_asked_by_order ON refunds_asked (opened_seq);

-- Takes the place of the view that knew nothing of asking, deciding and failing. Like all views for people only.
DROP VIEW IF EXISTS refund_view;

CREATE VIEW refund_view AS
SELECT
    first.body ->> '$.refund'  AS refund,
    orders.order_id            AS order_id,
    first.body ->> '$.attempt' AS attempt,
    printf('%d.%02d', (first.body ->> '$.amount') / 100, (first.body ->> '$.amount') % 100) AS amount,
    coalesce(first.body ->> '$.reason', 'operator') AS reason,
    (
        SELECT CASE entries.kind
            WHEN 'refund_done' THEN 'done'
            WHEN 'refund_owed' THEN 'owed'
            WHEN 'refund_failed' THEN 'failed'
            WHEN 'refund_started' THEN 'pending'
            WHEN 'refund_decided' THEN iif(entries.body ->> '$.approved', 'approved', 'declined')
            ELSE 'asked' END
        FROM order_entries JOIN entries USING (seq)
        WHERE order_entries.opened_seq = orders.opened_seq
            AND entries.kind LIKE 'refund~_%' ESCAPE '~'
            AND entries.body ->> '$.refund' = first.body ->> '$.refund'
        ORDER BY seq DESC LIMIT 1
    ) AS state,
    strftime('%Y-%m-%dT%H:%M:%fZ', first.at_ms / 1000.0, 'unixepoch') AS started_at,
    first.seq AS seq,
    first.body ->> '$.said.by'  AS asked_by,
    first.body ->> '$.said.why' AS why,
    (
        SELECT entries.body ->> '$.said.by'
        FROM order_entries JOIN entries USING (seq)
        WHERE order_entries.opened_seq = orders.opened_seq
            AND entries.kind = 'refund_decided'
            AND entries.body ->> '$.refund' = first.body ->> '$.refund'
        ORDER BY seq DESC LIMIT 1
    ) AS decided_by,
    first.body ->> '$.instead_of' AS instead_of
FROM orders
JOIN order_entries AS own ON own.opened_seq = orders.opened_seq
JOIN entries AS first ON first.seq = own.seq
WHERE first.kind = 'refund_asked'
    OR (first.kind = 'refund_started' AND NOT EXISTS (
        SELECT 1
        FROM order_entries JOIN entries USING (seq)
        WHERE order_entries.opened_seq = orders.opened_seq
            AND entries.kind = 'refund_asked'
            AND entries.body ->> '$.refund' = first.body ->> '$.refund'
    ));

-- What is known of the machine's slots. No money, no part of the chain, and not derived: what a person counted and
-- cleared is in no entry. Kept in the transaction of the entry that changes it. Only slots of which something is known.
-- stock     so many items are in it; NULL where nobody counted
-- failures  so often in a row its motor turned and nothing fell
-- locked    1 until a technician clears it
CREATE TABLE IF NOT EXISTS slots (
    slot     TEXT    PRIMARY KEY,
    stock    INTEGER CHECK (stock >= 0),
    failures INTEGER NOT NULL CHECK (failures >= 0),
    locked   INTEGER NOT NULL CHECK (locked IN (0, 1))
) STRICT, WITHOUT ROWID;

-- Running totals for the audit: they stay when retention removes the entries, and never go down.
-- kind          vend, cash_vend, failed: of a slot; paid, refunded: of a channel, or of a channel/wallet; cash: of nothing;
--               counted: no total, but the place up to which the entries are counted. In this table, because what a sale
--               writes is counted in pages
-- number, fen   ever
-- reset_number, reset_fen   what they were at the last reset of the audit
CREATE TABLE IF NOT EXISTS tallies (
    kind         TEXT    NOT NULL,
    of           TEXT    NOT NULL,
    number       INTEGER NOT NULL,
    fen          INTEGER NOT NULL,
    reset_number INTEGER NOT NULL DEFAULT 0,
    reset_fen    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (kind, of)
) STRICT, WITHOUT ROWID;

-- The resets of the audit: how many, and when the last one was, milliseconds since 1970. One row, or none.
CREATE TABLE IF NOT EXISTS tally_resets (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    resets   INTEGER NOT NULL CHECK (resets > 0),
    reset_ms INTEGER NOT NULL
) STRICT;
