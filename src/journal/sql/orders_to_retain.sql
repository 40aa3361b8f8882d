-- By the times of the orders' rows, so that those to be kept cost little; what goes is decided by the entries.
SELECT opened_seq, last_seq
FROM orders
WHERE opened_seq > ?1 AND opened_seq <= ?2 AND open = 0 AND last_seq <= ?2 AND last_ms < ?3
ORDER BY opened_seq
LIMIT ?4
