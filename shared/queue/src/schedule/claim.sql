-- Claims the pass of all schedules, for this interval and among all clients. Where
-- there are recurrence rules, which only pg-boss reads, its clients (every 30 s) go
-- first; what they leave is still within the minute that an occurrence stays due.
--   $1 interval in seconds  $2 now, or null for the database's clock
WITH clock AS (
  SELECT
    coalesce($2, now()) AS now,
    -- The column came with version 41, so it is read from the row as JSON.
    CASE WHEN EXISTS (SELECT FROM {schema}.schedule AS s WHERE to_jsonb(s) ->> 'kind' = 'rrule') THEN greatest($1, 45) ELSE $1 END AS seconds
),
claimed AS (
  UPDATE {schema}.version AS v
  SET cron_on = clock.now
  FROM clock
  WHERE coalesce(v.cron_on, '-infinity') <= clock.now - interval '1s' * clock.seconds
  RETURNING v.version
)
-- What was there before: the statement's own update is not yet seen.
SELECT clock.now, v.cron_on AS last_pass, EXISTS (SELECT FROM claimed) AS claimed
FROM clock
CROSS JOIN {schema}.version AS v
