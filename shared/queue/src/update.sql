-- Edits jobs that are not yet active: only what the change names. They are named by
-- id, or by key: the newest, the oldest or all.
--   $1 queue  $2 id  $3 singleton key  $4 which of the key  $5 the change
WITH target_queue AS (
  SELECT q.name, q.policy, q.notify
  FROM {schema}.queue AS q
  WHERE q.name = $1
),
target AS (
  SELECT j.name, j.id
  FROM {schema}.job AS j
  WHERE j.name = $1
    AND j.state < 'active'
    AND ($2 IS NULL OR j.id = $2)
    AND ($3 IS NULL OR j.singleton_key = $3)
  ORDER BY
    CASE WHEN $4 = 'oldest' THEN j.created_on END,
    CASE WHEN $4 = 'newest' THEN j.created_on END DESC
  LIMIT CASE WHEN $4 = 'all' THEN NULL ELSE 1 END
),
changed AS (
  UPDATE {schema}.job AS j
  SET
    data = CASE WHEN $5 ? 'data' THEN $5 -> 'data' ELSE j.data END,
    priority = coalesce(($5 ->> 'priority')::int, j.priority),
    start_after = due.start_after,
    -- What a job is kept for moves along with its start.
    keep_until = due.start_after + coalesce(interval '1s' * ($5 ->> 'retentionSeconds')::int, j.keep_until - j.start_after),
    expire_seconds = coalesce(($5 ->> 'expireInSeconds')::int, j.expire_seconds),
    deletion_seconds = coalesce(($5 ->> 'deleteAfterSeconds')::int, j.deletion_seconds),
    retry_limit = coalesce(($5 ->> 'retryLimit')::int, j.retry_limit),
    retry_delay = coalesce(($5 ->> 'retryDelay')::int, j.retry_delay),
    retry_backoff = coalesce(($5 ->> 'retryBackoff')::bool, j.retry_backoff),
    retry_delay_max = coalesce(($5 ->> 'retryDelayMax')::int, j.retry_delay_max),
    dead_letter = coalesce($5 ->> 'deadLetter', j.dead_letter),
    heartbeat_seconds = coalesce(($5 ->> 'heartbeatSeconds')::int, j.heartbeat_seconds),
    group_id = coalesce($5 ->> 'groupId', j.group_id),
    group_tier = coalesce($5 ->> 'groupTier', j.group_tier)
  FROM target AS t
  JOIN {schema}.job AS o ON o.name = t.name AND o.id = t.id
  CROSS JOIN LATERAL (
    SELECT
      CASE
        WHEN $5 ->> 'startAfter' IS NULL THEN o.start_after
        WHEN right($5 ->> 'startAfter', 1) = 'Z' OR $5 ->> 'startAfter' ~ '^\d{4}-\d{2}-\d{2}' THEN ($5 ->> 'startAfter')::timestamptz
        ELSE now() + ($5 ->> 'startAfter')::interval
      END AS start_after
  ) AS due
  WHERE j.name = t.name
    AND j.id = t.id
    -- Again, on the locked row: a worker may have taken it meanwhile.
    AND j.state < 'active'
  RETURNING j.name, j.id, j.start_after
),
notified AS (
  SELECT pg_notify('pgboss_' || left(encode(sha224('{schema}'), 'hex'), 24), q.name)
  FROM target_queue AS q
  JOIN changed AS c ON c.name = q.name
  WHERE q.notify
    AND c.start_after <= now()
  LIMIT 1
)
SELECT c.id, q.policy, (SELECT count(*) FROM notified) AS notified
FROM target_queue AS q
LEFT JOIN changed AS c ON true
