-- Moves waiting jobs out of a dead letter queue, the oldest first, each as a new job
-- of the queue it came from (or of $2) with that queue's options. What has no such
-- queue stays, and so does what that queue refuses.
--   $1 dead letter queue  $2 destination  $3 source  $4 contained data
--   $5 created before     $6 ids          $7 at most so many
WITH target AS (
  SELECT q.name
  FROM {schema}.queue AS q
  WHERE q.name = $1
),
candidate AS (
  SELECT j.*
  FROM {schema}.job AS j
  WHERE j.name = $1
    AND j.state < 'active'
    AND ($3 IS NULL OR j.source_name = $3)
    AND ($4 IS NULL OR j.data @> $4)
    AND ($5 IS NULL OR j.created_on < $5)
    AND ($6 IS NULL OR j.id = ANY ($6))
    AND EXISTS (SELECT FROM {schema}.queue AS q WHERE q.name = coalesce($2, j.source_name))
  ORDER BY j.created_on
  LIMIT $7
  FOR UPDATE OF j SKIP LOCKED
),
numbered AS (
  SELECT c.*, gen_random_uuid() AS new_id
  FROM candidate AS c
),
moved AS (
  INSERT INTO {schema}.job (
    id, name, data, priority, singleton_key, group_id, group_tier,
    start_after, created_on, keep_until, policy, dead_letter,
    retry_limit, retry_backoff, retry_delay, retry_delay_max, expire_seconds, deletion_seconds, heartbeat_seconds
  )
  SELECT
    n.new_id, q.name, n.data, n.priority, n.singleton_key, n.group_id, n.group_tier,
    now(), now(), now() + interval '1s' * q.retention_seconds, q.policy, q.dead_letter,
    q.retry_limit, q.retry_backoff, q.retry_delay, q.retry_delay_max, q.expire_seconds, q.deletion_seconds, q.heartbeat_seconds
  FROM numbered AS n
  JOIN {schema}.queue AS q ON q.name = coalesce($2, n.source_name)
  ORDER BY n.created_on
  ON CONFLICT DO NOTHING
  RETURNING id
),
removed AS (
  DELETE FROM {schema}.job AS j
  USING numbered AS n
  JOIN moved AS m ON m.id = n.new_id
  WHERE j.name = $1
    AND j.id = n.id
)
SELECT target.name, (SELECT count(*) FROM moved) AS moved
FROM target
