"""What admin_fill.py runs, in this order. `people` and `kinds` are its own; numbers of mailers and staff begin at 1."""

from __future__ import annotations

from typing import LiteralString

SERIAL = (
    "messages",
    "ledger_entries",
    "change_events",
    "suppressions",
    "trainings",
    "rights_requests",
    "takedowns",
    "esp_events",
    "webhook_deliveries",
    "webhook_attempts",
    "outbox_jobs",
    "sign_ups",
    "step_ups",
    "confirmations",
)

STATEMENTS: tuple[LiteralString, ...] = (
    # Feed positions are given by hand, so those of later transactions have to come after them.
    "CREATE OR REPLACE FUNCTION feed_shift() RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE "
    "AS 'SELECT 100000000::bigint'",
    """
    INSERT INTO messages (id, mailer_id, reference, created_at)
    SELECT x, 1 + mod(x, 5), 'nyhetsbrev ' || x, %(start)s + %(span)s * (x::float / %(messages)s)
    FROM generate_series(1, %(messages)s) x
    """,
    """
    INSERT INTO trainings (id, title, place, held_on, created_at)
    SELECT x, 'Elsäkerhet ' || x, 'Göteborg', (%(now)s + interval '60 days' - interval '1 day' * (%(trainings)s - x))::date,
        %(start)s
    FROM generate_series(1, %(trainings)s) x
    """,
    """
    INSERT INTO participants (training_id, recipient_id, added_at, notified_at)
    SELECT 1 + mod(x, %(trainings)s), p.id, %(start)s, CASE WHEN mod(x, %(trainings)s) < %(trainings)s - 60 THEN %(now)s END
    FROM generate_series(1, %(participations)s) x JOIN people p ON p.number = x * 3
    WHERE x * 3 <= %(recipients)s
    """,
    """
    INSERT INTO participants (training_id, recipient_id, added_at)
    SELECT %(trainings)s - 50, p.id, %(start)s FROM people p WHERE p.number <= 1000 AND mod(p.number, 3) = 1
    """,
    # Number 1 has a thousandth of everything; the others five entries each.
    """
    INSERT INTO ledger_entries (id, recipient_id, purpose_id, training_id, act, basis, method, actor, actor_id,
        notice_version_id, locale, occurred_at, recorded_at, paused_until, reference)
    SELECT x, p.id, k.purpose_id, CASE WHEN k.act = 'objected' AND k.k >= 85 AND mod(x, 2) = 0 THEN 1 + mod(x, %(trainings)s)
        ELSE 0 END, k.act, k.basis, k.method, k.actor, CASE WHEN k.actor = 'staff' THEN 1 END,
        CASE WHEN k.method <> 'one_click' THEN k.notice_version_id END, 'sv', at - interval '1 second', at,
        CASE WHEN k.act = 'paused' THEN at + interval '60 days' END,
        CASE WHEN k.method IN ('one_click', 'unsubscribe_page') THEN greatest(1, x * %(messages)s / %(entries)s) END
    FROM (SELECT x::bigint, %(start)s + %(span)s * (x::float / %(entries)s) AS at FROM generate_series(1, %(entries)s) x) n
    JOIN people p ON p.number = CASE WHEN mod(x, 1000) = 0 THEN 1 ELSE 1 + mod(x * 7919, %(recipients)s) END
    JOIN kinds k ON k.k = mod(hashint8(x) & 2147483647, 100)
    ORDER BY x
    """,
    # A scanner yesterday: twenty people of one domain within a minute.
    """
    INSERT INTO ledger_entries (id, recipient_id, purpose_id, act, basis, method, actor, locale, occurred_at, recorded_at,
        reference)
    SELECT %(entries)s + row_number() OVER (), p.id, k.purpose_id, k.act, k.basis, k.method, k.actor, 'sv',
        date_trunc('minute', %(now)s::timestamptz) - interval '30 minutes',
        date_trunc('minute', %(now)s::timestamptz) - interval '30 minutes', %(messages)s
    FROM (SELECT * FROM people WHERE mod(number, 997) = 5 AND mod(number, 10) > 0 AND mod(number, 100) <> 99
        ORDER BY number LIMIT 200) p
    CROSS JOIN (SELECT * FROM kinds WHERE act = 'withdrawn' AND method = 'one_click' LIMIT 1) k
    """,
    """
    INSERT INTO choices (recipient_id, purpose_id, training_id, act, basis, since, entry_id, paused_at, paused_until,
        pause_entry_id)
    SELECT DISTINCT ON (recipient_id, purpose_id, training_id) recipient_id, purpose_id, training_id, act, basis, occurred_at,
        id, NULL::timestamptz, NULL::timestamptz, NULL::bigint
    FROM ledger_entries WHERE act NOT IN ('paused', 'resumed')
    ORDER BY recipient_id, purpose_id, training_id, id DESC
    """,
    """
    UPDATE choices c SET paused_at = e.occurred_at, paused_until = e.paused_until, pause_entry_id = e.id
    FROM (SELECT DISTINCT ON (recipient_id, purpose_id) * FROM ledger_entries WHERE act = 'paused' AND id > %(entries)s * 0.9
        ORDER BY recipient_id, purpose_id, id DESC) e
    WHERE c.recipient_id = e.recipient_id AND c.purpose_id = e.purpose_id AND c.training_id = 0
    """,
    "DELETE FROM change_events",
    """
    INSERT INTO change_events (id, feed_order, type, recipient_id, entry_id, recorded_at)
    SELECT id, id, CASE WHEN training_id > 0 THEN 'photo.objection_changed' ELSE 'choice.changed' END, recipient_id, id,
        recorded_at
    FROM ledger_entries ORDER BY id
    """,
    """
    INSERT INTO stop_reasons (entry_id, purpose_id, message_id, reason, recorded_at)
    SELECT id, purpose_id, reference, (ARRAY['too_often', 'not_relevant', 'never_asked', 'changed_work', 'other'])
        [1 + mod(id, 5)], recorded_at + interval '1 minute'
    FROM ledger_entries WHERE act IN ('refused', 'withdrawn', 'objected') AND mod(id, 7) = 0
    """,
    """
    INSERT INTO evidence (entry_id, recipient_id, content)
    SELECT id, recipient_id, %(evidence)s FROM ledger_entries WHERE basis = 'soft_opt_in' AND mod(id, 5) = 0
    """,
    """
    INSERT INTO suppressions (address_index, reason, scope, source, created_at, lifted_at)
    SELECT p.address_index, s.reason, s.scope, 'esp:ses', %(start)s + %(span)s * random(),
        CASE WHEN mod(number, 50) = 0 THEN %(now)s END
    FROM people p JOIN (VALUES (16, 3, 'hard_bounce', 'all'), (200, 5, 'complaint', 'informational'),
        (50, 7, 'global_stop', 'informational'), (100, 99, 'erased', 'all'), (1000, 11, 'manual', 'all')) s(n, r, reason, scope)
        ON mod(p.number, s.n) = s.r
    ORDER BY 5
    """,
    """
    INSERT INTO esp_events (mailer_id, provider, event_key, type, native, severity, address_index, payload, received_at,
        done_at, outcome)
    SELECT 1 + mod(x, 3), (ARRAY['ses', 'postmark', 'mailgun'])[1 + mod(x, 3)], decode(md5(x::text), 'hex'), t.type, t.type,
        CASE WHEN t.type = 'bounced' THEN 'soft' END, p.address_index,
        CASE WHEN x > %(reports)s * 0.9 THEN %(payload)s END, at, at, 'counted'
    FROM (SELECT x, %(now)s - interval '390 days' * (1 - x::float / %(reports)s) AS at
        FROM generate_series(1, %(reports)s) x) n
    JOIN people p ON p.number = 1 + mod(x * 7907::bigint, %(recipients)s)
    CROSS JOIN LATERAL (SELECT CASE WHEN mod(x, 25) = 0 THEN 'bounced' WHEN mod(x, 500) = 1 THEN 'complained'
        ELSE 'delivered' END AS type) t
    ORDER BY x
    """,
    """
    INSERT INTO rights_requests (reference, recipient_id, kind, state, details, locale, received_at, due_on, extension_reason,
        closed_at, answer)
    SELECT 'R-' || lpad(x::text, 8, '0'), p.id, (ARRAY['access', 'correct', 'erase', 'object', 'withdraw_storage'])
        [1 + mod(x, 5)], state, %(details)s, 'sv', at, (at + interval '28 days')::date,
        CASE WHEN state = 'extended' THEN %(extension)s::bytea END,
        CASE WHEN state = 'fulfilled' THEN at + interval '9 days' END, CASE WHEN state = 'fulfilled' THEN %(answer)s::bytea END
    FROM (SELECT x, %(now)s - interval '700 days' * (1 - x::float / %(requests)s) AS at,
        CASE WHEN x <= %(requests)s * 0.95 THEN 'fulfilled' WHEN mod(x, 10) = 0 THEN 'extended' ELSE 'open' END AS state
        FROM generate_series(1, %(requests)s) x) n
    JOIN people p ON p.number = 1 + mod(x * 17, %(recipients)s)
    """,
    """
    INSERT INTO takedowns (reference, recipient_id, training_id, url, what, note, state, requested_at, closed_at, answer,
        assigned_to, due_on, proof)
    SELECT 'T-' || lpad(x::text, 8, '0'), p.id, 1 + mod(x, %(trainings)s), %(url)s, 'both', %(note)s, state, at,
        CASE WHEN state = 'done' THEN at + interval '2 days' END, CASE WHEN state = 'done' THEN %(takedown_answer)s::bytea END,
        1, (at + interval '7 days')::date, CASE WHEN state = 'done' THEN %(proof)s::bytea END
    FROM (SELECT x, %(now)s - interval '700 days' * (1 - x::float / %(takedowns)s) AS at,
        CASE WHEN x <= %(takedowns)s * 0.85 THEN 'done' WHEN mod(x, 3) = 0 THEN 'in_progress' ELSE 'received' END AS state
        FROM generate_series(1, %(takedowns)s) x) n
    JOIN people p ON p.number = 1 + mod(x * 19, %(recipients)s)
    """,
    """
    INSERT INTO audit_entries (recorded_at, staff_id, action, object_kind, object_id, data)
    SELECT %(start)s + %(span)s * (x::float / %(audits)s), CASE WHEN mod(x, 20) > 0 THEN 1 + mod(x, 8) END, a.action,
        'recipient', p.id, '{}'::jsonb
    FROM generate_series(1, %(audits)s) x JOIN people p ON p.number = 1 + mod(x * 7907::bigint, %(recipients)s)
    CROSS JOIN LATERAL (SELECT CASE WHEN mod(x, 50) = 0 THEN 'acted_on_behalf' WHEN mod(x, 5) = 0 THEN 'recipients_searched'
        ELSE 'recipient_seen' END AS action) a
    ORDER BY x
    """,
    """
    INSERT INTO audit_reasons (audit_id, reason)
    SELECT id, %(reason)s FROM audit_entries WHERE action = 'acted_on_behalf'
    """,
    # A month of webhooks. Endpoint 1 has not answered for six hours.
    """
    INSERT INTO webhook_deliveries (endpoint_id, event_id, recipient_id, created_at, next_at, attempts, done_at, outcome)
    SELECT n.endpoint, e.id, e.recipient_id, e.recorded_at, e.recorded_at, 1,
        CASE WHEN is_done THEN e.recorded_at + interval '1 second' * mod(e.id, 90) END,
        CASE WHEN is_done THEN 'delivered' END
    FROM (SELECT * FROM change_events WHERE recorded_at > %(now)s - interval '30 days') e
    CROSS JOIN generate_series(1, 4) n(endpoint)
    CROSS JOIN LATERAL (SELECT n.endpoint > 1 OR e.recorded_at < %(now)s - interval '6 hours' AS is_done) d
    ORDER BY e.id
    """,
    """
    INSERT INTO webhook_attempts (endpoint_id, delivery_id, event_id, number, attempted_at, code, status, latency_ms, excerpt)
    SELECT endpoint_id, id, event_id, 1, coalesce(done_at, created_at), CASE WHEN outcome IS NULL THEN 'timed_out'
        ELSE 'delivered' END, CASE WHEN outcome IS NOT NULL THEN 200 END, 40, %(excerpt)s
    FROM webhook_deliveries ORDER BY id
    """,
    # Mailers 4 and 5 follow the feed, an hour at a time; 5 has not for three days; 6 never did.
    """
    INSERT INTO acknowledgements (mailer_id, feed_order, event_id, acknowledged_at)
    SELECT m.mailer, max(e.feed_order), max(e.id), date_trunc('hour', e.recorded_at) + interval '1 hour'
    FROM change_events e CROSS JOIN generate_series(4, 5) m(mailer)
    WHERE e.id <= %(entries)s AND (m.mailer = 4 OR e.recorded_at < %(now)s - interval '3 days')
    GROUP BY m.mailer, date_trunc('hour', e.recorded_at)
    """,
    """
    INSERT INTO outbox_jobs (kind, recipient_id, payload, created_at, run_at, attempts, done_at, outcome)
    SELECT 'mail', p.id, %(job)s, at, at, 1, at, 'sent'
    FROM (SELECT *, %(now)s - interval '30 days' * random() AS at FROM people WHERE mod(number, 10) = 3) p
    """,
    """
    INSERT INTO sign_ups (form_key, address, address_index, name, asked, locale, asked_at, expires_at, confirmed_at)
    SELECT 'brev-' || (1 + mod(number, 8)), CASE WHEN mod(number, 3) = 0 THEN %(sign_up)s::bytea END, address_index,
        CASE WHEN mod(number, 3) = 0 THEN %(sign_up_name)s::bytea END, '[]'::jsonb, 'sv', at, at + interval '7 days',
        CASE WHEN mod(number, 3) > 0 THEN at + interval '1 hour' END
    FROM (SELECT *, %(now)s - interval '7 days' * random() AS at FROM people WHERE mod(number, 250) = 9) p
    """,
    """
    INSERT INTO confirmations (recipient_id, asked, locale, asked_at, expires_at, confirmed_at)
    SELECT id, '[]'::jsonb, 'sv', at, at + interval '7 days', CASE WHEN mod(number, 3) > 0 THEN at + interval '1 hour' END
    FROM (SELECT *, %(now)s - interval '60 days' * random() AS at FROM people WHERE mod(number, 50) = 9) p
    """,
    """
    INSERT INTO step_ups (recipient_id, code_digest, asked_at, expires_at)
    SELECT id, decode(md5(id::text) || md5(id::text), 'hex'), at, at + interval '30 minutes'
    FROM (SELECT *, %(now)s - interval '30 days' * random() AS at FROM people WHERE mod(number, 100) = 13) p
    """,
    """
    INSERT INTO policy_notices (number, recipient_id, job_id, queued_at, outcome, done_at)
    SELECT 1, id, number, %(start)s, CASE WHEN mod(number, 40) = 0 THEN 'dropped: erased' ELSE 'sent' END, %(start)s FROM people
    """,
    "UPDATE policy_announcements SET total = %(recipients)s, finished_at = %(start)s WHERE number = 1",
    "UPDATE endpoints SET failing_since = %(now)s - interval '6 hours', failures = 40 WHERE id = 1",
    "UPDATE mailers SET created_at = CASE WHEN id = 6 THEN %(now)s - interval '20 days' ELSE %(start)s END",
    "DROP TABLE people",
    "DROP TABLE kinds",
)
