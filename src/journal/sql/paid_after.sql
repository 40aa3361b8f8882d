-- A body begins with its kind: looking at that first spares reading the JSON of all others.
SELECT coalesce(sum(
    CASE WHEN body LIKE '{"kind":"cash_taken"%' THEN body ->> '$.amount'
    ELSE (
        SELECT numbers.amount FROM numbers
        WHERE numbers.number = entries.body ->> '$.attempt' AND numbers.kind = 'attempt'
        LIMIT 1
    ) END
), 0)
FROM entries
WHERE seq > ?1 AND (body LIKE '{"kind":"attempt_paid"%' OR body LIKE '{"kind":"cash_taken"%')
