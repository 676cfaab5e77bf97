-- Inserts one job, and answers with its id. No row comes back where the job collides
-- with another, or where there is no such queue: send_refused.sql tells which.
--   $1 queue             $2 id            $3 data           $4 priority
--   $5 start after: a date and time, or an interval from now
--   $6 singleton key     $7 singleton seconds               $8 take the next slot
--   $9 group id          $10 group tier   $11 expire        $12 delete after
--   $13 retention        $14 retry limit  $15 retry delay   $16 backoff
--   $17 retry delay max  $18 dead letter  $19 heartbeat     $20 a fixed slot
INSERT INTO {schema}.job AS j (
  id, name, data, priority, start_after, created_on, keep_until, policy,
  singleton_key, singleton_on, group_id, group_tier,
  expire_seconds, deletion_seconds, retry_limit, retry_delay, retry_backoff, retry_delay_max,
  dead_letter, heartbeat_seconds
)
SELECT
  coalesce($2, gen_random_uuid()), q.name, $3, $4, q.due, now(), q.due + interval '1s' * coalesce($13, q.retention_seconds), q.policy,
  -- Slots count from the epoch, by the time of this insert.
  $6, coalesce($20, 'epoch'::timestamp + interval '1s' * ($7::float8 * floor((extract(epoch FROM now()) + CASE WHEN $8 THEN $7 ELSE 0 END) / $7::float8))), $9, $10,
  coalesce($11, q.expire_seconds), coalesce($12, q.deletion_seconds), coalesce($14, q.retry_limit), coalesce($15, q.retry_delay), coalesce($16, q.retry_backoff), coalesce($17, q.retry_delay_max),
  coalesce($18, q.dead_letter), coalesce($19, q.heartbeat_seconds)
FROM (
  SELECT
    queue.*,
    CASE
      WHEN $8 THEN now() + interval '1s' * ($7 - floor(extract(epoch FROM now()))::bigint % $7 + CASE WHEN $7 > 1 THEN 1 ELSE 0 END)
      WHEN $5 IS NULL THEN now()
      WHEN right($5, 1) = 'Z' OR $5 ~ '^\d{4}-\d{2}-\d{2}' THEN $5::timestamptz
      ELSE now() + $5::interval
    END AS due
  FROM {schema}.queue
  WHERE queue.name = $1
) AS q
-- Without a key the queue's check constraint would refuse the job less clearly.
WHERE NOT (q.policy = 'key_strict_fifo' AND coalesce($6, '') = '')
ON CONFLICT DO NOTHING
RETURNING
  j.id,
  -- Sent with the commit, so that who listens finds the job.
  (
    SELECT pg_notify('pgboss_' || left(encode(sha224('{schema}'), 'hex'), 24), q.name)::text
    FROM {schema}.queue AS q
    WHERE q.name = $1
      AND q.notify
      AND j.start_after <= now()
  ) AS notified
