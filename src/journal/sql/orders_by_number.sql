-- A caller may use one reference twice: the newest order comes first.
SELECT opened_seq, order_id, state, amount, currency, origin, reference, opened_ms, last_seq, last_ms, paid, refunded, open
FROM orders
WHERE opened_seq IN (
    SELECT opened_seq FROM orders WHERE order_id = ?1
    UNION
    SELECT opened_seq FROM numbers WHERE number = ?1 AND kind IN ('attempt', 'trade', 'refund', 'reference')
)
    AND (?2 IS NULL OR state = ?2)
    AND (?3 IS NULL OR opened_ms >= ?3)
    AND (?4 IS NULL OR opened_ms < ?4)
    AND (?5 IS NULL OR opened_seq < ?5)
ORDER BY opened_seq DESC
LIMIT ?6
