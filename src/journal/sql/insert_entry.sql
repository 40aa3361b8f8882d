INSERT INTO entries (seq, order_id, at_ms, trusted, state, body, prev, hash)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
