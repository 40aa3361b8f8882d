SELECT seq, order_id, at_ms, trusted, state, body, prev, hash
FROM entries
WHERE seq > ?1
ORDER BY seq
LIMIT ?2
