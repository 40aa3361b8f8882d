SELECT seq, order_id, at_ms, trusted, state, body, prev, hash
FROM order_entries JOIN entries USING (seq)
WHERE order_entries.opened_seq = ?1
ORDER BY seq
