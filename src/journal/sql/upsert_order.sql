INSERT INTO orders
    (opened_seq, order_id, state, amount, currency, origin, reference, opened_ms, last_seq, last_ms, paid, refunded, open)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
ON CONFLICT (opened_seq) DO UPDATE SET
    state = ?3, last_seq = ?9, last_ms = ?10, paid = ?11, refunded = ?12, open = ?13
