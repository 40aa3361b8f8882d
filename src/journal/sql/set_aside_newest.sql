SELECT seq, order_id, code, detail, at_ms
FROM (SELECT * FROM set_aside ORDER BY seq DESC LIMIT ?1)
ORDER BY seq
