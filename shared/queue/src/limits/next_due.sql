-- Seconds until the first job of a queue that its limits may grant, fewer than none
-- where it could have gone before; no row when none waits, or none but in groups that
-- are held without an end.
--   $1 queue   $2 now, or null for the database's clock
WITH clock AS MATERIALIZED (
  SELECT
    at.now,
    (at.now AT TIME ZONE 'UTC')::date AS today
  FROM (SELECT coalesce($2, clock_timestamp()) AS now) AS at
)
SELECT extract(epoch FROM min(due.due_on) - clock.now)::float8
FROM clock
CROSS JOIN LATERAL (
  SELECT
    greatest(
      p.tat - p.tolerance,
      p.held_until,
      -- Today's jobs are used up: tomorrow.
      CASE WHEN p.day = clock.today AND p.day_jobs >= p.daily THEN (clock.today + 1)::timestamp AT TIME ZONE 'UTC' END,
      g.tat - g.tolerance,
      g.held_until,
      job.start_after
    ) AS due_on
  FROM public.limits AS p
  JOIN public.limits AS g ON g.parent_id = p.id
  -- The first entry of the group in the dispatch index.
  CROSS JOIN LATERAL (
    SELECT j.start_after
    FROM {schema}.job AS j
    WHERE j.name = $1
      AND j.group_id = g.id
      AND j.state < 'active'
      AND NOT j.blocked
    ORDER BY j.start_after
    LIMIT 1
  ) AS job
  WHERE p.queue = $1
    AND p.held_until < 'infinity'
    AND g.held_until < 'infinity'
) AS due
GROUP BY clock.now
