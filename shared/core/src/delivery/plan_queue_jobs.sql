-- The queue jobs of a campaign's message jobs ($1, its limit group $2), with the
-- queue's own settings. singleton_on is the slot, so that the database itself
-- refuses two messages of one campaign in one slot.
INSERT INTO pgboss.job (
  id,
  name,
  data,
  retry_limit,
  retry_delay,
  retry_backoff,
  retry_delay_max,
  expire_seconds,
  deletion_seconds,
  keep_until,
  policy,
  dead_letter,
  heartbeat_seconds,
  singleton_key,
  singleton_on,
  group_id,
  group_tier,
  start_after,
  created_on
)
SELECT
  m.id,
  q.name,
  jsonb_build_object('campaignId', m.campaign_id),
  -- The campaign's retries, and the queue's own for handlers that died.
  c.retry_limit + q.retry_limit,
  q.retry_delay,
  q.retry_backoff,
  q.retry_delay_max,
  q.expire_seconds,
  q.deletion_seconds,
  m.slot + q.retention_seconds * interval '1 second',
  q.policy,
  q.dead_letter,
  q.heartbeat_seconds,
  m.campaign_id,
  m.slot AT TIME ZONE 'UTC',
  $2,
  'chat/' || c.bot_id || '/' || coalesce(c.test_chat_id::text, m.channel_id::text),
  plan_start(
    m.slot,
    plan_jitter(m.campaign_id, c.delivery_rate, row_number() OVER (ORDER BY m.slot) - 1),
    c.quiet_from,
    c.quiet_to,
    c.quiet_zone
  ),
  now()
FROM jobs AS m
JOIN campaigns AS c ON c.id = m.campaign_id
JOIN pgboss.queue AS q ON q.name = 'send-message'
WHERE m.campaign_id = $1
  AND m.status = 'PENDING'
ORDER BY m.slot
-- Two messages in one slot are an error, and not nothing.
ON CONFLICT (name, id) DO NOTHING
