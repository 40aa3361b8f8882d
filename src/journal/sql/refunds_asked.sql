SELECT entries.seq, order_id, at_ms, trusted, state, body, prev, hash
FROM refunds_asked JOIN entries ON entries.seq = refunds_asked.asked_seq
WHERE asked_seq > ?1
ORDER BY asked_seq
LIMIT ?2
