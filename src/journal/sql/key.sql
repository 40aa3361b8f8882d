SELECT orders.order_id, numbers.refund_id, numbers.body_sha256
FROM numbers JOIN orders USING (opened_seq)
WHERE numbers.number = ?1 AND numbers.kind = ?2
ORDER BY numbers.opened_seq
LIMIT 1
