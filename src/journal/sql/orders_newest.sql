SELECT opened_seq, order_id, state, amount, currency, origin, reference, opened_ms, last_seq, last_ms, paid, refunded, open
FROM orders
WHERE (?5 IS NULL OR opened_seq < ?5)
ORDER BY opened_seq DESC
LIMIT ?6
