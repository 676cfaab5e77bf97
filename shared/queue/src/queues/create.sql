-- Two at once would collide on the partition's table; the lock makes them take turns.
--   $1 name  $2 options
WITH turn AS MATERIALIZED (
  SELECT pg_advisory_xact_lock(hashtext('{schema}.create_queue'))
)
SELECT {schema}.create_queue($1, $2)
FROM turn
