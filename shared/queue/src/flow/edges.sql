-- What a job waits for, or what waits for it.
--   $1 queue  $2 id  $3 what it waits for, rather than what waits for it
SELECT d.parent_name AS name, d.parent_id AS id
FROM {schema}.job_dependency AS d
WHERE $3
  AND d.child_name = $1
  AND d.child_id = $2
UNION ALL
SELECT d.child_name, d.child_id
FROM {schema}.job_dependency AS d
WHERE NOT $3
  AND d.parent_name = $1
  AND d.parent_id = $2
