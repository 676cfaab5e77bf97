-- Seconds until the first waiting job of a queue ($1) is due; null when none waits.
SELECT greatest(0, extract(epoch FROM min(start_after) - clock_timestamp()))::float8
FROM pgboss.job
WHERE name = $1
  AND state < 'active'
  AND NOT blocked
