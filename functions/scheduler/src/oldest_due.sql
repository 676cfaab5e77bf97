-- Seconds since the first waiting job of a queue ($1) was due; no row where none is.
SELECT extract(epoch FROM clock_timestamp() - min(start_after))::float8
FROM pgboss.job
WHERE name = $1
  AND state < 'active'
  AND NOT blocked
  AND start_after <= clock_timestamp()
HAVING min(start_after) IS NOT NULL
