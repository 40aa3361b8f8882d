-- The journal itself: what happened to money and goods, one row per fact, each sealed to the one before.
--
-- seq      place in the journal, from 1, without a gap
-- order_id the order that the entry is about; the body says it too
-- at_ms    wall clock, milliseconds since 1970; data, never an ordering
-- trusted  1 when that clock was believed
-- state    the order's public state after the entry
-- body     the entry as JSON, exactly the bytes that were hashed
-- prev     the hash of the entry before
-- hash     SHA-256 over all of the above but order_id, see chain.rs
-- kind     read out of the body, for people; takes no room
CREATE TABLE entries (
    seq      INTEGER PRIMARY KEY CHECK (seq > 0),
    order_id TEXT    NOT NULL,
    at_ms    INTEGER NOT NULL,
    trusted  INTEGER NOT NULL CHECK (trusted IN (0, 1)),
    state    TEXT    NOT NULL,
    body     TEXT    NOT NULL,
    prev     BLOB    NOT NULL CHECK (length(prev) = 32),
    hash     BLOB    NOT NULL CHECK (length(hash) = 32),
    kind     TEXT    GENERATED ALWAYS AS (body ->> '$.kind') VIRTUAL
) STRICT;

CREATE TRIGGER entries_are_not_changed BEFORE UPDATE ON entries
BEGIN
    SELECT RAISE(ABORT, 'the journal is append-only: an entry is never changed');
END;

CREATE TRIGGER entries_are_not_deleted BEFORE DELETE ON entries
BEGIN
    SELECT RAISE(ABORT, 'the journal is append-only: an entry is never deleted');
END;

-- One row that is overwritten to learn whether the disk takes writes again.
CREATE TABLE probe (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    written INTEGER NOT NULL,
    filler  BLOB    NOT NULL
) STRICT;
