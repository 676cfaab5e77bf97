-- One campaign ($1), or a page of campaigns, newest first: below the id $2, with
-- status $3, at most $4.
SELECT
  c.id,
  c.name,
  c.batch_id,
  c.template_id,
  c.template_version,
  c.bot_id,
  c.params,
  c.status,
  c.pause_reason,
  c.resumes_at,
  c.failure,
  c.delivery_rate,
  c.retry_limit,
  c.on_uncertain,
  c.mode,
  c.test_chat_id,
  c.scheduled_at,
  c.not_after,
  c.planned_at,
  c.quiet_from,
  c.quiet_to,
  c.quiet_zone,
  c.cron,
  c.cron_zone,
  c.recurs_as,
  c.total,
  c.sent,
  c.failed,
  c.skipped,
  c.uncertain,
  c.cancelled,
  c.created_at,
  c.started_at,
  c.finished_at,
  now() AS now,
  -- Outside of quiet hours, and no more in a day than the bot may send.
  greatest(
    end_by_rate.eta,
    CASE
      WHEN end_by_rate.eta IS NOT NULL AND pending.messages > today.messages_left
      THEN date_trunc('day', now(), 'UTC')
        + ceil((pending.messages - today.messages_left)::float8 / b.messages_per_day) * interval '1 day'
    END
  ) AS eta
FROM campaigns AS c
JOIN bots AS b ON b.id = c.bot_id
CROSS JOIN LATERAL (
  SELECT c.total - c.sent - c.failed - c.skipped - c.uncertain - c.cancelled AS messages
) AS pending
-- The bot's rate is shared by its running campaigns.
CROSS JOIN LATERAL (
  SELECT
    least(c.delivery_rate, b.rate_per_second * 60.0 / greatest(1, count(*))) * coalesce(b.ramp, 100) / 100 AS per_minute
  FROM campaigns AS other
  WHERE other.bot_id = c.bot_id
    AND other.status = 'RUNNING'
) AS rate
LEFT JOIN LATERAL (
  SELECT b.messages_per_day - CASE WHEN l.day = (now() AT TIME ZONE 'UTC')::date THEN l.day_jobs ELSE 0 END AS messages_left
  FROM limits AS l
  WHERE l.id = 'bot/' || c.bot_id
) AS today ON true
LEFT JOIN LATERAL (
  SELECT awake.begins + (work.length - awake.before) AS eta
  FROM (SELECT (pending.messages / rate.per_minute)::float8 * interval '1 minute' AS length) AS work
  CROSS JOIN LATERAL awake_times(
    CASE c.status WHEN 'RUNNING' THEN now() ELSE c.resumes_at END,
    work.length,
    c.quiet_from,
    c.quiet_to,
    c.quiet_zone
  ) AS awake
  WHERE (c.status = 'RUNNING' OR (c.status = 'PAUSED' AND c.resumes_at IS NOT NULL))
    AND work.length >= awake.before
    AND (awake.length IS NULL OR work.length < awake.before + awake.length)
) AS end_by_rate ON true
WHERE ($1::uuid IS NULL OR c.id = $1)
  AND ($2::uuid IS NULL OR c.id < $2)
  AND ($3::text IS NULL OR c.status = $3)
ORDER BY c.id DESC
LIMIT $4
