-- Fails active jobs whose time is up, or that showed no sign of life for too long.
--   $1 queues  $2 now, or null for the database's clock
WITH known AS (
  SELECT q.name
  FROM {schema}.queue AS q
  WHERE q.name = ANY ($1)
),
failing AS (
  SELECT
    j.name,
    j.id,
    jsonb_build_object('value', jsonb_build_object('message', late.message)) AS output,
    j.retry_count < j.retry_limit AS again,
    NULL::float8 AS pause
  FROM known
  JOIN {schema}.job AS j ON j.name = known.name
  CROSS JOIN LATERAL (
    SELECT
      CASE
        WHEN j.started_on + interval '1s' * j.expire_seconds < coalesce($2, now()) THEN 'job timed out'
        WHEN j.heartbeat_on + interval '1s' * j.heartbeat_seconds < coalesce($2, now()) THEN 'job heartbeat timeout'
      END AS message
  ) AS late
  WHERE j.state = 'active'
    AND late.message IS NOT NULL
  -- One that is being settled just now is not late.
  FOR UPDATE OF j SKIP LOCKED
),
{fail}
SELECT count(*) AS expired
FROM failed
