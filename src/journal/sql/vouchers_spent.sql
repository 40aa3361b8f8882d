-- A voucher whose money went back whole may be used again.
SELECT code, sum(amount - refunded), max(once AND amount > refunded), max(expires_ms)
FROM voucher_uses
WHERE expires_ms > ?1 AND paid_seq IS NOT NULL
GROUP BY code
ORDER BY code
