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
  c.total,
  c.sent,
  c.failed,
  c.skipped,
  c.uncertain,
  c.cancelled,
  c.created_at,
  c.started_at,
  c.finished_at,
  -- The bot's rate is shared by its running campaigns.
  b.rate_per_second * 60 / greatest(1, (
    SELECT count(*)
    FROM campaigns AS other
    WHERE other.bot_id = c.bot_id
      AND other.status = 'RUNNING'
  )) AS bot_share,
  now() AS now
FROM campaigns AS c
JOIN bots AS b ON b.id = c.bot_id
WHERE ($1::uuid IS NULL OR c.id = $1)
  AND ($2::uuid IS NULL OR c.id < $2)
  AND ($3::text IS NULL OR c.status = $3)
ORDER BY c.id DESC
LIMIT $4
