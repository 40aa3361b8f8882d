SELECT opened_seq FROM orders WHERE open = 1 ORDER BY opened_seq
