-- Notes on a schedule the job it made last. The column came with version 41.
--   $1 queue  $2 key  $3 job
UPDATE {schema}.schedule AS s
SET last_job_id = $3
WHERE s.name = $1
  AND s.key = $2
