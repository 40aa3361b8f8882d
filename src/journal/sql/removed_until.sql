-- Entries stand in the order in which they were written: what was removed is no younger than the next that stayed, by a
-- clock that was believed.
SELECT at_ms FROM entries
WHERE seq > (SELECT max(last_seq) FROM gaps) AND trusted = 1
ORDER BY seq
LIMIT 1
