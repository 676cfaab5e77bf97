-- Seconds until the first waiting job of a queue ($1) is due; no row when none waits.
-- (greatest passes over nulls, so it is the row that must be missing.)
SELECT greatest(0, extract(epoch FROM first.start_after - clock_timestamp()))::float8
FROM (
  SELECT min(start_after) AS start_after
  FROM pgboss.job
  WHERE name = $1
    AND state < 'active'
    AND NOT blocked
) AS first
WHERE first.start_after IS NOT NULL
