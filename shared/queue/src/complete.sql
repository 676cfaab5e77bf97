-- Sets jobs completed. A job not yet active counts where $7 says so; it is then
-- free of what it waited for.
--   $5 an output each  $6 or one for all
--   $1 queue  $2 ids  $3 their attempts' numbers, or nulls  $4 and starts
UPDATE {schema}.job AS j
SET
  state = 'completed',
  completed_on = now(),
  output = coalesce(t.output, $6),
  blocked = j.blocked AND NOT $7,
  pending_dependencies = CASE WHEN $7 THEN 0 ELSE j.pending_dependencies END
FROM unnest($2::uuid[], $3::int[], $4::timestamptz[], $5::jsonb[]) AS t (id, retry_count, started_on, output)
WHERE j.name = $1
  AND j.id = t.id
  -- A CASE, so that no statistics say that hardly any job is active: the plan must
  -- begin with the jobs that are named, not with the queue's.
  AND CASE WHEN j.state = 'active' THEN true ELSE $7 AND j.state < 'active' END
  AND (t.retry_count IS NULL OR t.retry_count = j.retry_count)
  AND (t.started_on IS NULL OR t.started_on = j.started_on)
RETURNING j.id, j.blocking
