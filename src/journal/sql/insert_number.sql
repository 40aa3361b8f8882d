INSERT INTO numbers (number, kind, opened_seq, amount, refund_id, body_sha256)
VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT DO NOTHING
