-- Like fetch.sql, whatever the policy (but for key_strict_fifo) and the conditions,
-- and however many jobs are in the way.
--   $1 queue                $2 at most so many          $3 due or not
--   $4 lowest priority      $5 highest priority
--   $6 jobs of one group at once                        $7 the same by tier, as an object
--   $8 groups to leave out
--
-- `near` looks at the first entries of pg-boss's index; where that was not enough,
-- `far` finds what is due by an index of its own: by priority, and then by how long
-- a job has been due.
WITH RECURSIVE target AS (
  SELECT q.policy
  FROM {schema}.queue AS q
  WHERE q.name = $1
),
head AS MATERIALIZED (
  SELECT j.id
  FROM {schema}.job AS j
  WHERE j.name = $1
    AND j.state < 'active'
    AND NOT j.blocked
  ORDER BY j.priority DESC, j.created_on
  LIMIT $2 + 100
),
near AS MATERIALIZED (
  SELECT ready.*
  FROM head
  CROSS JOIN LATERAL (
    {ready_job}
      AND j.id = head.id
      AND j.policy IS DISTINCT FROM 'key_strict_fifo'
    FOR UPDATE OF j SKIP LOCKED
  ) AS ready
  LIMIT $2
),
-- The queue's priorities, one probe of the index each.
level AS (
  (
    SELECT j.priority
    FROM {schema}.job AS j
    WHERE j.name = $1
      AND j.state < 'active'
      AND NOT j.blocked
      AND (SELECT count(*) FROM near) < $2
      AND (SELECT count(*) FROM head) = $2 + 100
    ORDER BY j.priority DESC
    LIMIT 1
  )
  UNION ALL
  SELECT (
    SELECT j.priority
    FROM {schema}.job AS j
    WHERE j.name = $1
      AND j.state < 'active'
      AND NOT j.blocked
      AND j.priority < level.priority
    ORDER BY j.priority DESC
    LIMIT 1
  )
  FROM level
  WHERE level.priority IS NOT NULL
),
far AS MATERIALIZED (
  SELECT ready.*
  FROM level
  CROSS JOIN LATERAL (
    {ready_job}
      AND j.priority = level.priority
      AND j.id <> ALL (ARRAY(SELECT near.id FROM near))
      AND j.policy IS DISTINCT FROM 'key_strict_fifo'
    ORDER BY j.start_after
    LIMIT $2
    FOR UPDATE OF j SKIP LOCKED
  ) AS ready
  LIMIT $2 - (SELECT count(*) FROM near)
),
-- Of two chosen jobs with one key (or too many of one group) the later ones wait.
chosen AS (
  SELECT
    c.*,
    row_number() OVER (PARTITION BY c.unique_key ORDER BY c.priority DESC, c.created_on) AS key_place,
    row_number() OVER (PARTITION BY c.group_id ORDER BY c.priority DESC, c.created_on) AS group_place
  FROM (SELECT near.* FROM near UNION ALL SELECT far.* FROM far) AS c
),
taken AS (
  UPDATE {schema}.job AS j
  SET
    state = 'active',
    started_on = now(),
    heartbeat_on = now(),
    -- A job that was begun before and comes again has used up an attempt.
    retry_count = CASE WHEN j.started_on IS NULL THEN j.retry_count ELSE j.retry_count + 1 END
  WHERE j.name = $1
    AND j.id = ANY (ARRAY(
      SELECT c.id
      FROM chosen AS c
      WHERE (c.unique_key IS NULL OR c.key_place = 1)
        AND (c.group_limit IS NULL OR c.group_place <= c.group_limit)
    ))
  RETURNING j.*
),
answer AS (
  SELECT {columns}
  FROM taken
)
SELECT a.*, target.policy AS queue_policy
FROM target
LEFT JOIN answer AS a ON true
ORDER BY a.priority DESC, a.created_on
