-- Sets the next due jobs of a queue active, by priority and then age: the quick way,
-- for queues whose policy limits no active jobs, and without other conditions. One
-- row for each job; one with a null id where nothing is due; none where there is no
-- such queue.
--   $1 queue  $2 at most so many
--
-- pg-boss's index has the order, but walks past every deferred job. So only its
-- first entries are looked at; where these were not enough, the answer says that it
-- was `deep`, and fetch_deep.sql goes on. There are eight times as many as are wanted,
-- because other workers hold some; no more are read than it takes.
--
-- A job is followed by its place in the table (ctid), not by its id: that saves two
-- look-ups in an index. Its place stays while this statement has it locked.
WITH target AS (
  SELECT q.policy
  FROM {schema}.queue AS q
  WHERE q.name = $1
),
near AS MATERIALIZED (
  SELECT ready.place
  FROM (
    SELECT j.ctid AS place
    FROM {schema}.job AS j
    WHERE j.name = $1
      AND j.state < 'active'
      AND NOT j.blocked
    ORDER BY j.priority DESC, j.created_on
    LIMIT 8 * $2 + 100
  ) AS head
  CROSS JOIN LATERAL (
    SELECT j.ctid AS place
    FROM {schema}.job AS j
    WHERE j.name = $1
      AND j.ctid = head.place
      AND j.state < 'active'
      AND NOT j.blocked
      AND j.start_after <= now()
      -- Should the queue have been made anew with that policy.
      AND j.policy IS DISTINCT FROM 'key_strict_fifo'
    FOR UPDATE OF j SKIP LOCKED
  ) AS ready
  LIMIT $2
),
taken AS (
  UPDATE {schema}.job AS j
  SET
    state = 'active',
    started_on = now(),
    heartbeat_on = now(),
    -- A job that was begun before and comes again has used up an attempt.
    retry_count = CASE WHEN j.started_on IS NULL THEN j.retry_count ELSE j.retry_count + 1 END
  FROM near
  WHERE j.name = $1
    AND j.ctid = near.place
  RETURNING j.*
),
answer AS (
  SELECT {columns}
  FROM taken
)
SELECT
  a.*,
  target.policy AS queue_policy,
  (SELECT count(*) FROM near) < $2 AND (
    SELECT count(*)
    FROM (
      SELECT
      FROM {schema}.job AS j
      WHERE j.name = $1
        AND j.state < 'active'
        AND NOT j.blocked
      LIMIT 8 * $2 + 100
    ) AS entry
  ) = 8 * $2 + 100 AS deep
FROM target
LEFT JOIN answer AS a ON true
ORDER BY a.priority DESC, a.created_on
