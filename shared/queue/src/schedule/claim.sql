-- Claims the pass of all schedules, for this interval and among all clients.
--   $1 interval in seconds  $2 now, or null for the database's clock
WITH clock AS (
  SELECT coalesce($2, now()) AS now
),
claimed AS (
  UPDATE {schema}.version AS v
  SET cron_on = clock.now
  FROM clock
  WHERE coalesce(v.cron_on, '-infinity') <= clock.now - interval '1s' * $1
  RETURNING v.version
)
-- What was there before: the statement's own update is not yet seen.
SELECT clock.now, v.cron_on AS last_pass, EXISTS (SELECT FROM claimed) AS claimed
FROM clock
CROSS JOIN {schema}.version AS v
