-- Fails jobs: another attempt while there are attempts left, else the end, with a
-- copy into the dead letter queue.
--   $1 queue  $2 ids  $3 their attempts' numbers, or nulls  $4 and starts
--   $5 an output each  $6 or one for all  $7 no other attempt  $8 the pause in seconds
--
-- One update rather than pg-boss's delete and re-insert: columns of a later schema
-- stay as they are.
WITH target AS (
  SELECT q.name
  FROM {schema}.queue AS q
  WHERE q.name = $1
),
failing AS (
  SELECT
    j.name,
    j.id,
    coalesce(t.output, $6) AS output,
    NOT $7 AND j.retry_count < j.retry_limit AS again,
    $8::float8 AS pause
  FROM unnest($2::uuid[], $3::int[], $4::timestamptz[], $5::jsonb[]) AS t (id, retry_count, started_on, output)
  JOIN {schema}.job AS j ON j.name = $1 AND j.id = t.id
  WHERE j.state < 'completed'
    AND (t.retry_count IS NULL OR t.retry_count = j.retry_count)
    AND (t.started_on IS NULL OR t.started_on = j.started_on)
  FOR UPDATE OF j
),
{fail}
SELECT failed.id
FROM target
LEFT JOIN failed ON true
