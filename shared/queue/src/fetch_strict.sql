-- Like fetch_deep.sql, for a queue of policy key_strict_fifo: of each key its oldest due
-- job, and none while another of the key is active, waits for a retry or has failed.
WITH RECURSIVE target AS (
  SELECT q.policy
  FROM {schema}.queue AS q
  WHERE q.name = $1
),
key AS (
  -- The keys with jobs waiting, one probe of the index each.
  (
    SELECT j.singleton_key
    FROM {schema}.job AS j
    WHERE j.name = $1
      AND j.state < 'active'
      AND NOT j.blocked
      AND j.policy = 'key_strict_fifo'
    ORDER BY j.singleton_key
    LIMIT 1
  )
  UNION ALL
  SELECT (
    SELECT j.singleton_key
    FROM {schema}.job AS j
    WHERE j.name = $1
      AND j.state < 'active'
      AND NOT j.blocked
      AND j.policy = 'key_strict_fifo'
      AND j.singleton_key > key.singleton_key
    ORDER BY j.singleton_key
    LIMIT 1
  )
  FROM key
  WHERE key.singleton_key IS NOT NULL
),
head AS MATERIALIZED (
  SELECT first.id
  FROM key
  CROSS JOIN LATERAL (
    SELECT j.id, j.priority, j.created_on
    FROM {schema}.job AS j
    WHERE j.name = $1
      AND j.singleton_key = key.singleton_key
      AND j.state < 'active'
      AND NOT j.blocked
      AND j.policy = 'key_strict_fifo'
      AND ($3 OR j.start_after <= now())
    -- A retry goes before what was created before it.
    ORDER BY j.state DESC, j.created_on, j.id
    LIMIT 1
  ) AS first
  WHERE NOT EXISTS (
    SELECT
    FROM {schema}.job AS b
    WHERE b.name = $1
      AND b.singleton_key = key.singleton_key
      AND b.state IN ('active', 'retry', 'failed')
      AND b.policy = 'key_strict_fifo'
      AND b.id <> first.id
  )
  ORDER BY first.priority DESC, first.created_on
),
ready AS MATERIALIZED (
  SELECT ready.*
  FROM head
  CROSS JOIN LATERAL (
    {ready_job}
      AND j.id = head.id
      AND j.policy = 'key_strict_fifo'
    FOR UPDATE OF j SKIP LOCKED
  ) AS ready
  LIMIT $2
),
-- Of two chosen jobs with one key (or too many of one group) the later ones wait.
chosen AS (
  SELECT
    c.*,
    row_number() OVER (PARTITION BY c.unique_key ORDER BY c.priority DESC, c.created_on) AS key_place,
    row_number() OVER (PARTITION BY c.group_id ORDER BY c.priority DESC, c.created_on) AS group_place
  FROM ready AS c
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
