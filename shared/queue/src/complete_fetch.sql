-- Completes jobs, as complete.sql, and takes the next, as fetch.sql, in one commit: for
-- queues whose policy limits no active jobs, so that neither waits for the other.
--   $1 queue  $2 at most so many
--   $3 ids    $4 their attempts' numbers, or nulls  $5 and starts  $6 an output each
WITH completed AS (
  UPDATE {schema}.job AS j
  SET
    state = 'completed',
    completed_on = now(),
    output = t.output
  FROM unnest($3::uuid[], $4::int[], $5::timestamptz[], $6::jsonb[]) AS t (id, retry_count, started_on, output)
  WHERE j.name = $1
    AND j.id = t.id
    -- A CASE, as in complete.sql.
    AND CASE WHEN j.state = 'active' THEN true ELSE false END
    AND (t.retry_count IS NULL OR t.retry_count = j.retry_count)
    AND (t.started_on IS NULL OR t.started_on = j.started_on)
  RETURNING j.blocking
),
target AS (
  SELECT q.policy
  FROM {schema}.queue AS q
  WHERE q.name = $1
),
{fetch}
SELECT
  a.*,
  target.policy AS queue_policy,
  looked.deep,
  (SELECT coalesce(bool_or(c.blocking), false) FROM completed AS c) AS parents
FROM target
CROSS JOIN looked
LEFT JOIN answer AS a ON true
ORDER BY a.priority DESC, a.created_on
