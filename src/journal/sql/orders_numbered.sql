SELECT opened_seq FROM numbers WHERE number = ?1 AND kind IN ('attempt', 'refund', 'trade')
