--   $1 queue  $2 id
SELECT j.id
FROM {schema}.job AS j
WHERE j.name = $1
  AND j.id = $2
