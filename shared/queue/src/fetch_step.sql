-- A job is followed by its place in the table (ctid), not by its id: that saves two
-- look-ups in an index. Its place stays while this statement has it locked.
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
),
-- Whether the first entries were not enough.
looked AS (
  SELECT (SELECT count(*) FROM near) < $2 AND (
    SELECT count(*)
    FROM (
      SELECT
      FROM {schema}.job AS j
      WHERE j.name = $1
        AND j.state < 'active'
        AND NOT j.blocked
      -- So that it is this index, whatever the planner knows of the table.
      ORDER BY j.priority DESC, j.created_on
      LIMIT 8 * $2 + 100
    ) AS entry
  ) = 8 * $2 + 100 AS deep
)
