-- Puts active jobs back as if this attempt had not been: no start, so that the next
-- fetch counts none. What it is kept for moves along with its start.
--   $5 the new start, as in send.sql
--   $1 queue  $2 ids  $3 their attempts' numbers, or nulls  $4 and starts
UPDATE {schema}.job AS j
SET
  -- Its former state; the other one where the queue's policy gave its place away.
  state = CASE
    WHEN (j.retry_count > 0) <> EXISTS (
      SELECT
      FROM {schema}.job AS o
      WHERE o.name = $1
        AND o.state = CASE WHEN j.retry_count > 0 THEN 'retry'::{schema}.job_state ELSE 'created' END
        AND (o.policy = 'stately' OR o.policy = 'short' AND o.state = 'created')
        AND coalesce(o.singleton_key, '') = coalesce(j.singleton_key, '')
    )
    THEN 'retry'::{schema}.job_state
    ELSE 'created'
  END,
  started_on = NULL,
  heartbeat_on = NULL,
  start_after = due.start_after,
  keep_until = j.keep_until + greatest(due.start_after - j.start_after, '0')
FROM unnest($2::uuid[], $3::int[], $4::timestamptz[]) AS t (id, retry_count, started_on)
CROSS JOIN (
  SELECT
    CASE
      WHEN right($5, 1) = 'Z' OR $5 ~ '^\d{4}-\d{2}-\d{2}' THEN $5::timestamptz
      ELSE now() + coalesce($5, '0')::interval
    END AS start_after
) AS due
WHERE j.name = $1
  AND j.id = t.id
  AND j.state = 'active'
  AND (t.retry_count IS NULL OR t.retry_count = j.retry_count)
  AND (t.started_on IS NULL OR t.started_on = j.started_on)
RETURNING j.id
