-- `failing` holds the jobs, locked. A stately queue has one place for a retry of each
-- key: what finds it taken has failed.
placed AS (
  SELECT
    f.*,
    f.again
      AND NOT (
        j.policy = 'stately'
        AND (
          row_number() OVER (PARTITION BY j.name, j.policy, f.again, coalesce(j.singleton_key, '') ORDER BY j.created_on, j.id) > 1
          OR EXISTS (
            SELECT
            FROM {schema}.job AS o
            WHERE o.name = j.name
              AND o.state = 'retry'
              AND o.policy = 'stately'
              AND coalesce(o.singleton_key, '') = coalesce(j.singleton_key, '')
              AND o.id <> j.id
          )
        )
      ) AS retried
  FROM failing AS f
  JOIN {schema}.job AS j ON j.name = f.name AND j.id = f.id
),
failed AS (
  UPDATE {schema}.job AS j
  SET
    state = CASE WHEN p.retried THEN 'retry'::{schema}.job_state ELSE 'failed' END,
    completed_on = CASE WHEN p.retried THEN NULL ELSE now() END,
    heartbeat_on = NULL,
    output = p.output,
    start_after = due.start_after,
    -- A pause that the job names itself may be longer than it would have been kept.
    keep_until = CASE WHEN p.pause IS NULL THEN j.keep_until ELSE greatest(j.keep_until, due.start_after + (j.keep_until - j.start_after)) END
  FROM placed AS p
  CROSS JOIN LATERAL (
    SELECT
      CASE
        WHEN NOT p.retried THEN o.start_after
        WHEN p.pause IS NOT NULL THEN now() + interval '1s' * p.pause
        WHEN NOT o.retry_backoff THEN now() + interval '1s' * o.retry_delay
        ELSE now() + interval '1s' * least(
          o.retry_delay_max,
          greatest(o.retry_delay, 1) * 2 ^ least(16, o.retry_count + 1) / 2 * (1 + random())
        )
      END AS start_after
    FROM {schema}.job AS o
    WHERE o.name = p.name
      AND o.id = p.id
  ) AS due
  WHERE j.name = p.name
    AND j.id = p.id
  RETURNING j.*
),
buried AS (
  INSERT INTO {schema}.job (
    name, data, output, priority, singleton_key, group_id, group_tier,
    start_after, created_on, keep_until,
    retry_limit, retry_backoff, retry_delay, expire_seconds, deletion_seconds, heartbeat_seconds,
    source_name, source_id, source_created_on, source_retry_count
  )
  SELECT
    d.name, f.data, f.output, f.priority, f.singleton_key, f.group_id, f.group_tier,
    now(), now(), now() + interval '1s' * d.retention_seconds,
    d.retry_limit, d.retry_backoff, d.retry_delay, d.expire_seconds, d.deletion_seconds, d.heartbeat_seconds,
    f.name, f.id, f.created_on, f.retry_count
  FROM failed AS f
  JOIN {schema}.queue AS d ON d.name = f.dead_letter
  WHERE f.state = 'failed'
)
