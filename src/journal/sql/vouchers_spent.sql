-- A voucher whose money went back whole may be used again.
SELECT code, sum(amount - refunded), max(once AND amount > refunded), max(expires_ms) AS expires
FROM voucher_uses
WHERE paid_seq IS NOT NULL
GROUP BY code
ORDER BY expires DESC, code
LIMIT ?1
