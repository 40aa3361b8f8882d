SELECT amount FROM numbers WHERE number = ?1 AND kind = ?2 AND opened_seq = ?3
