-- Seconds since the limits of a queue ($1) would have granted its first waiting job; no
-- row where none is due. A backlog that drains at its rate is not late, and what is held
-- is not due.
SELECT max(extract(epoch FROM clock_timestamp() - due.due_on))::float8
FROM (
  SELECT greatest(p.tat - p.tolerance, p.held_until, g.tat - g.tolerance, g.held_until, job.start_after) AS due_on
  FROM limits AS p
  JOIN limits AS g ON g.parent_id = p.id
  -- The first entry of the group in the dispatch index.
  CROSS JOIN LATERAL (
    SELECT j.start_after
    FROM pgboss.job AS j
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
HAVING max(clock_timestamp() - due.due_on) > interval '0'
