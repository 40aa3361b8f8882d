-- What the additions make counts one each; what they take away counts against it.
SELECT coalesce(sum(CASE
    WHEN name = 'entries_are_not_deleted' THEN -100
    WHEN name = 'refund_view' THEN sql LIKE '%refund_asked%'
    ELSE 1 END), 0)
FROM sqlite_schema
WHERE name IN (
    'sync', 'set_aside', 'set_aside_by_order', 'command_results', 'gaps', 'gaps_are_acknowledged',
    'entries_stay_but_in_gaps', 'voucher_uses', 'voucher_uses_by_payment', 'set_aside_seen',
    'entries_are_not_deleted', 'refunds_asked', 'refunds_asked_by_order', 'refund_view',
    'slots', 'tallies', 'tally_resets'
)
