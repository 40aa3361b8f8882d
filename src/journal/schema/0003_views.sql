-- For people with a database browser. Till itself does not read these.

CREATE VIEW order_view AS
SELECT
    order_id,
    state,
    printf('%d.%02d', amount / 100, amount % 100)     AS amount,
    printf('%d.%02d', paid / 100, paid % 100)         AS paid,
    printf('%d.%02d', refunded / 100, refunded % 100) AS refunded,
    currency,
    origin,
    reference,
    strftime('%Y-%m-%dT%H:%M:%fZ', opened_ms / 1000.0, 'unixepoch') AS opened_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', last_ms / 1000.0, 'unixepoch')   AS last_at,
    opened_seq,
    last_seq,
    open
FROM orders;

CREATE VIEW open_view AS
SELECT * FROM order_view WHERE open = 1;

CREATE VIEW attempt_view AS
SELECT
    started.body ->> '$.attempt' AS attempt,
    orders.order_id              AS order_id,
    started.body ->> '$.channel' AS channel,
    started.body ->> '$.method'  AS method,
    printf('%d.%02d', (started.body ->> '$.amount') / 100, (started.body ->> '$.amount') % 100) AS amount,
    coalesce((
        SELECT CASE entries.kind
            WHEN 'attempt_paid' THEN 'paid'
            WHEN 'attempt_not_paid' THEN 'not_paid'
            ELSE 'reversing' END
        FROM order_entries JOIN entries USING (seq)
        WHERE order_entries.opened_seq = orders.opened_seq
            AND entries.kind IN ('attempt_paid', 'attempt_not_paid', 'reverse_started')
            AND entries.body ->> '$.attempt' = started.body ->> '$.attempt'
        ORDER BY seq DESC LIMIT 1
    ), 'open') AS state,
    (
        SELECT entries.body ->> '$.trade_no'
        FROM order_entries JOIN entries USING (seq)
        WHERE order_entries.opened_seq = orders.opened_seq
            AND entries.kind = 'attempt_paid'
            AND entries.body ->> '$.attempt' = started.body ->> '$.attempt'
        ORDER BY seq DESC LIMIT 1
    ) AS trade_no,
    strftime('%Y-%m-%dT%H:%M:%fZ', started.at_ms / 1000.0, 'unixepoch') AS started_at,
    started.seq AS seq
FROM orders
JOIN order_entries AS own ON own.opened_seq = orders.opened_seq
JOIN entries AS started ON started.seq = own.seq
WHERE started.kind = 'attempt_started';

CREATE VIEW refund_view AS
SELECT
    started.body ->> '$.refund'  AS refund,
    orders.order_id              AS order_id,
    started.body ->> '$.attempt' AS attempt,
    printf('%d.%02d', (started.body ->> '$.amount') / 100, (started.body ->> '$.amount') % 100) AS amount,
    started.body ->> '$.reason'  AS reason,
    coalesce((
        SELECT CASE entries.kind WHEN 'refund_done' THEN 'done' ELSE 'owed' END
        FROM order_entries JOIN entries USING (seq)
        WHERE order_entries.opened_seq = orders.opened_seq
            AND entries.kind IN ('refund_done', 'refund_owed')
            AND entries.body ->> '$.refund' = started.body ->> '$.refund'
        ORDER BY seq DESC LIMIT 1
    ), 'asked') AS state,
    strftime('%Y-%m-%dT%H:%M:%fZ', started.at_ms / 1000.0, 'unixepoch') AS started_at,
    started.seq AS seq
FROM orders
JOIN order_entries AS own ON own.opened_seq = orders.opened_seq
JOIN entries AS started ON started.seq = own.seq
WHERE started.kind = 'refund_started';
