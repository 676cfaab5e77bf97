--   $1 name
SELECT {schema}.delete_queue(q.name)
FROM {schema}.queue AS q
WHERE q.name = $1
