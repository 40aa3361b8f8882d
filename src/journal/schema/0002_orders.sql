-- What the entries add up to, kept in the same transaction. Derived: it can be made again from the entries at any time.
-- An order is known here by the place of its first entry, a small number that only grows: new rows lie side by side.

-- Amounts are in fen.
CREATE TABLE orders (
    opened_seq INTEGER PRIMARY KEY,
    order_id   TEXT    NOT NULL UNIQUE,
    state      TEXT    NOT NULL,
    amount     INTEGER NOT NULL,
    currency   TEXT    NOT NULL,
    origin     TEXT    NOT NULL,
    reference  TEXT,
    opened_ms  INTEGER NOT NULL,
    last_seq   INTEGER NOT NULL,
    last_ms    INTEGER NOT NULL,
    paid       INTEGER NOT NULL,
    refunded   INTEGER NOT NULL,
    open       INTEGER NOT NULL CHECK (open IN (0, 1))
) STRICT;

CREATE INDEX orders_open ON orders (opened_seq) WHERE open = 1;
CREATE INDEX orders_by_state ON orders (state, opened_seq);
CREATE INDEX orders_by_time ON orders (opened_ms);

-- Which entries belong to an order.
CREATE TABLE order_entries (
    opened_seq INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    PRIMARY KEY (opened_seq, seq)
) STRICT, WITHOUT ROWID;

-- Every number by which somebody may ask for an order, beside its own.
-- kind: attempt, trade (the channel's own), refund, reference (the caller's), order_key and refund_key (idempotency).
CREATE TABLE numbers (
    number      TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    opened_seq  INTEGER NOT NULL,
    amount      INTEGER,
    refund_id   TEXT,
    body_sha256 TEXT,
    PRIMARY KEY (number, kind, opened_seq)
) STRICT, WITHOUT ROWID;
