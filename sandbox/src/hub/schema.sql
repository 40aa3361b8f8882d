-- The hub's books. One row of `terminals` for each key that was let in; everything else belongs to one of them.
CREATE TABLE IF NOT EXISTS terminals (
    terminal   TEXT PRIMARY KEY,
    public_key BLOB NOT NULL CHECK (length(public_key) = 32),
    joined_ms  INTEGER NOT NULL,
    handled    INTEGER NOT NULL DEFAULT 0
) STRICT;

-- One-time codes of the operator for technicians.
CREATE TABLE IF NOT EXISTS join_codes (
    code    TEXT PRIMARY KEY,
    used_by TEXT
) STRICT;

-- The journals of all terminals, side by side. An entry that is refused for good keeps its place and its hashes only.
CREATE TABLE IF NOT EXISTS entries (
    terminal     TEXT NOT NULL,
    seq          INTEGER NOT NULL CHECK (seq > 0),
    prev         BLOB NOT NULL CHECK (length(prev) = 32),
    hash         BLOB NOT NULL CHECK (length(hash) = 32),
    order_number TEXT,
    at_ms        INTEGER,
    trusted      INTEGER,
    state        TEXT,
    body         TEXT,
    PRIMARY KEY (terminal, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS entries_of_order ON entries (order_number) WHERE order_number IS NOT NULL;

CREATE TABLE IF NOT EXISTS refused (
    terminal TEXT NOT NULL,
    seq      INTEGER NOT NULL,
    code     TEXT NOT NULL,
    detail   TEXT NOT NULL,
    PRIMARY KEY (terminal, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS commands (
    terminal  TEXT NOT NULL,
    number    INTEGER NOT NULL CHECK (number > 0),
    command   TEXT NOT NULL,
    signature BLOB NOT NULL,
    PRIMARY KEY (terminal, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS results (
    terminal TEXT NOT NULL,
    number   INTEGER NOT NULL,
    outcome  TEXT NOT NULL CHECK (outcome IN ('done', 'refused')),
    detail   TEXT NOT NULL,
    at_ms    INTEGER NOT NULL,
    PRIMARY KEY (terminal, number)
) STRICT, WITHOUT ROWID;

-- What an entry says about money.
CREATE VIEW IF NOT EXISTS facts AS
SELECT terminal, seq, order_number, at_ms,
       body ->> 'kind' AS kind,
       body ->> 'attempt' AS attempt,
       body ->> 'refund' AS refund,
       body ->> 'amount' AS amount,
       body ->> 'channel' AS channel,
       body -> 'voucher' AS voucher
FROM entries WHERE body IS NOT NULL;

-- Money that came in. The plus keeps SQLite to the index of orders: by terminal it would compare all with all.
CREATE VIEW IF NOT EXISTS payments AS
SELECT paid.terminal, paid.seq, paid.order_number, paid.attempt, started.channel, started.amount, started.voucher
FROM facts AS paid
JOIN facts AS started
  ON started.order_number = paid.order_number AND +started.terminal = paid.terminal AND started.attempt = paid.attempt
WHERE paid.kind = 'attempt_paid' AND started.kind = 'attempt_started'
UNION ALL
SELECT terminal, seq, order_number, NULL, 'cash', amount, NULL FROM facts WHERE kind = 'cash_taken';

-- Money that went back.
CREATE VIEW IF NOT EXISTS refunds AS
SELECT done.terminal, done.seq, done.order_number, started.attempt, started.refund, started.amount
FROM facts AS done
JOIN facts AS started
  ON started.order_number = done.order_number AND +started.terminal = done.terminal AND started.refund = done.refund
WHERE done.kind = 'refund_done' AND started.kind = 'refund_started';

CREATE VIEW IF NOT EXISTS totals AS
SELECT terminals.terminal,
       coalesce(came.amount, 0) AS paid, coalesce(went.amount, 0) AS refunded, coalesce(came.orders, 0) AS orders
FROM terminals
LEFT JOIN (SELECT terminal, sum(amount) AS amount, count(DISTINCT order_number) AS orders FROM payments GROUP BY terminal)
  AS came ON came.terminal = terminals.terminal
LEFT JOIN (SELECT terminal, sum(amount) AS amount FROM refunds GROUP BY terminal)
  AS went ON went.terminal = terminals.terminal;

-- What was spent of a member or voucher code in one sale, after what went back.
CREATE VIEW IF NOT EXISTS code_uses AS
SELECT voucher ->> 'code' AS code,
       voucher ->> 'once' AS once,
       voucher ->> 'allowance' AS allowance,
       terminal, order_number,
       amount - coalesce((SELECT sum(refunds.amount) FROM refunds
                          WHERE refunds.order_number = payments.order_number AND +refunds.terminal = payments.terminal
                            AND refunds.attempt = payments.attempt), 0) AS spent
FROM payments WHERE voucher IS NOT NULL;

-- A code over its allowance, or a voucher used in two sales.
CREATE VIEW IF NOT EXISTS double_uses AS
SELECT code, max(once) AS once, max(allowance) AS allowance, sum(spent) AS spent
FROM code_uses WHERE spent > 0
GROUP BY code
HAVING sum(spent) > max(allowance) OR (max(once) AND count(*) > 1);
