SELECT opened_seq, order_id, state, amount, currency, origin, reference, opened_ms, last_seq, last_ms, paid, refunded, open
FROM orders
WHERE order_id = ?1
