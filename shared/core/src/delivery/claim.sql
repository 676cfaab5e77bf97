-- Claims message jobs for the attempts ($1 ids, $2 retry counts, $3 start times:
-- the fences of their queue jobs). Answers one row for each attempt that is still
-- the live one, in the attempts' order; an attempt without a row is stale, and none
-- of its handler's business any more.
WITH live AS (
  SELECT
    attempt.position,
    m.id,
    m.campaign_id,
    q.retry_count,
    q.started_on,
    q.expire_seconds,
    -- An attempt that died while it sent was one.
    m.attempts + CASE m.status WHEN 'SENDING' THEN 1 ELSE 0 END AS attempts,
    coalesce(m.error_class IN ('FLOOD_WAIT', 'CHAT_WAIT'), false) AS has_waited,
    CASE
      WHEN m.status NOT IN ('PENDING', 'SENDING') THEN 'SETTLED'
      -- The same invocation came twice, and its twin is at work.
      WHEN m.status = 'SENDING'
        AND m.fence_retry_count = q.retry_count
        AND m.fence_started_on = q.started_on THEN 'CLAIMED'
      -- Another attempt began to send and never settled: nobody knows what Telegram
      -- did. It is sent again only if the operator said so, and nothing else forbids it.
      WHEN m.status = 'SENDING'
        AND (
          c.on_uncertain = 'SKIP'
          OR m.attempts >= c.retry_limit
          OR c.status = 'CANCELLED'
          OR ch.opted_out_at IS NOT NULL
          OR NOT ch.active
        ) THEN 'UNCERTAIN'
      WHEN c.status = 'CANCELLED' THEN 'CANCELLED'
      WHEN c.status <> 'RUNNING' THEN 'NOT_RUNNING'
      -- Quiet hours begin, or will have begun when Telegram has it.
      WHEN quiet_until(now() + interval '2 seconds', c.quiet_from, c.quiet_to, c.quiet_zone) IS NOT NULL THEN 'NOT_RUNNING'
      WHEN ch.opted_out_at IS NOT NULL THEN 'OPTED_OUT'
      WHEN NOT ch.active THEN 'INACTIVE'
      ELSE 'SEND'
    END AS decision
  FROM unnest($1::uuid[], $2::integer[], $3::timestamptz[])
    WITH ORDINALITY AS attempt (id, retry_count, started_on, position)
  JOIN pgboss.job AS q ON q.id = attempt.id
    AND q.name = 'send-message'
    AND q.state = 'active'
    AND q.retry_count = attempt.retry_count
    AND q.started_on = attempt.started_on
  JOIN jobs AS m ON m.id = attempt.id
  JOIN campaigns AS c ON c.id = m.campaign_id
  JOIN channels AS ch ON ch.id = m.channel_id
  -- Two handlers with the same attempt: the second waits here, then sees CLAIMED.
  FOR UPDATE OF m
),
fenced AS (
  UPDATE jobs AS m
  SET
    status = CASE WHEN live.decision = 'SEND' THEN 'SENDING' ELSE m.status END,
    attempts = CASE WHEN live.decision = 'SEND' THEN live.attempts ELSE m.attempts END,
    -- Another attempt was sending it.
    doubtful = m.doubtful OR m.status = 'SENDING',
    fence_retry_count = live.retry_count,
    fence_started_on = live.started_on
  FROM live
  WHERE m.id = live.id
    AND live.decision NOT IN ('SETTLED', 'CLAIMED')
)
SELECT
  m.id,
  m.campaign_id,
  m.channel_id,
  m.recipient,
  CASE WHEN live.decision = 'SEND' THEN live.attempts ELSE m.attempts END AS attempts,
  live.has_waited,
  live.expire_seconds,
  extract(epoch FROM live.started_on + live.expire_seconds * interval '1 second' - clock_timestamp())::float8 AS lease_left,
  live.decision,
  live.retry_count,
  live.started_on
FROM live
JOIN jobs AS m ON m.id = live.id
ORDER BY live.position
