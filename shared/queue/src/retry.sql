-- Gives failed jobs one more attempt.
--   $1 queue  $2 ids  $3 their attempts' numbers, or nulls  $4 and starts
UPDATE {schema}.job AS j
SET
  state = 'retry',
  completed_on = NULL,
  retry_limit = j.retry_limit + 1
FROM unnest($2::uuid[], $3::int[], $4::timestamptz[]) AS t (id, retry_count, started_on)
WHERE j.name = $1
  AND j.id = t.id
  AND j.state = 'failed'
  AND (t.retry_count IS NULL OR t.retry_count = j.retry_count)
  AND (t.started_on IS NULL OR t.started_on = j.started_on)
RETURNING j.id
