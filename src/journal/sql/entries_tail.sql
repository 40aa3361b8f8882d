SELECT seq, order_id, at_ms, trusted, state, body, prev, hash
FROM entries
ORDER BY seq DESC
LIMIT ?1
