SELECT at_ms
FROM (SELECT at_ms, trusted FROM entries WHERE seq >= ?1 ORDER BY seq LIMIT ?2)
WHERE trusted = 1
LIMIT 1
