SELECT DISTINCT opened_seq
FROM entries JOIN order_entries USING (seq)
WHERE at_ms >= ?1 AND at_ms < ?2
    AND kind IN ('attempt_started', 'attempt_paid', 'reverse_started', 'refund_started', 'refund_done')
ORDER BY opened_seq
