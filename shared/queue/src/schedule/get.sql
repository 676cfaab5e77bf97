-- Schedules; a column that came with version 41 is read from the row as JSON, where
-- it may be missing.
--   $1 queue, or null for all  $2 key, or null for all
SELECT
  s.name,
  s.key,
  coalesce(to_jsonb(s) ->> 'kind', 'cron') AS kind,
  s.cron,
  coalesce(s.timezone, 'UTC') AS timezone,
  s.data,
  s.options,
  s.created_on,
  s.updated_on,
  (to_jsonb(s) ->> 'last_job_id')::uuid AS last_job_id
FROM {schema}.schedule AS s
WHERE ($1 IS NULL OR s.name = $1)
  AND ($2 IS NULL OR s.key = $2)
ORDER BY s.name, s.key
