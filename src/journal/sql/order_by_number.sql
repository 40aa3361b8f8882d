-- Our own numbers before the caller's: a reference may be the text of another order's number.
SELECT opened_seq, order_id, state, amount, currency, origin, reference, opened_ms, last_seq, last_ms, paid, refunded, open
FROM orders
WHERE opened_seq = (
    SELECT opened_seq
    FROM (
        SELECT opened_seq, 0 AS place FROM orders WHERE order_id = ?1
        UNION ALL
        SELECT opened_seq, CASE kind WHEN 'reference' THEN 3 WHEN 'trade' THEN 2 ELSE 1 END
        FROM numbers
        WHERE number = ?1 AND kind IN ('attempt', 'refund', 'trade', 'reference')
    )
    ORDER BY place, opened_seq DESC
    LIMIT 1
)
