-- Inserts one job. One row comes back, whose id is null where the job collides
-- with another; no row where there is no such queue.
--   $1 queue             $2 id            $3 data           $4 priority
--   $5 start after: a date and time, or an interval from now
--   $6 singleton key     $7 singleton seconds               $8 take the next slot
--   $9 group id          $10 group tier   $11 expire        $12 delete after
--   $13 retention        $14 retry limit  $15 retry delay   $16 backoff
--   $17 retry delay max  $18 dead letter  $19 heartbeat     $20 a fixed slot
WITH target AS (
  SELECT
    q.*,
    -- Slots count from the epoch, by the time of this insert.
    coalesce($20, 'epoch'::timestamp + interval '1s' * ($7::float8 * floor((extract(epoch FROM now()) + CASE WHEN $8 THEN $7 ELSE 0 END) / $7::float8))) AS slot,
    CASE
      WHEN $8 THEN now() + interval '1s' * ($7 - floor(extract(epoch FROM now()))::bigint % $7 + CASE WHEN $7 > 1 THEN 1 ELSE 0 END)
      WHEN right($5, 1) = 'Z' OR $5 ~ '^\d{4}-\d{2}-\d{2}' THEN $5::timestamptz
      ELSE now() + coalesce($5, '0')::interval
    END AS due
  FROM {schema}.queue AS q
  WHERE q.name = $1
),
inserted AS (
  INSERT INTO {schema}.job (
    id, name, data, priority, start_after, created_on, keep_until, policy,
    singleton_key, singleton_on, group_id, group_tier,
    expire_seconds, deletion_seconds, retry_limit, retry_delay, retry_backoff, retry_delay_max,
    dead_letter, heartbeat_seconds
  )
  SELECT
    coalesce($2, gen_random_uuid()), t.name, $3, $4, t.due, now(), t.due + interval '1s' * coalesce($13, t.retention_seconds), t.policy,
    $6, t.slot, $9, $10,
    coalesce($11, t.expire_seconds), coalesce($12, t.deletion_seconds), coalesce($14, t.retry_limit), coalesce($15, t.retry_delay), coalesce($16, t.retry_backoff), coalesce($17, t.retry_delay_max),
    coalesce($18, t.dead_letter), coalesce($19, t.heartbeat_seconds)
  FROM target AS t
  -- Without a key the queue's check constraint would refuse the job less clearly.
  WHERE NOT (t.policy = 'key_strict_fifo' AND coalesce($6, '') = '')
  ON CONFLICT DO NOTHING
  RETURNING id, start_after
)
SELECT
  i.id,
  t.policy,
  (t.slot + interval '1s' * $7) AT TIME ZONE 'UTC' AS until,
  -- Sent with the commit, so that who listens finds the job.
  CASE WHEN t.notify AND i.start_after <= now() THEN pg_notify('pgboss_' || left(encode(sha224('{schema}'), 'hex'), 24), t.name)::text END AS notified
FROM target AS t
LEFT JOIN inserted AS i ON true
