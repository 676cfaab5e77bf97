-- Takes due jobs that all their limits grant, charges the limits, and sets the
-- jobs active, all in one statement.
--   $1 queue   $2 at most so many jobs   $3 now, or null for the database's clock
--   $4 the step of a key's limit that does not exist yet
--
-- First it chooses, without a lock; then it locks what it chose (parents, groups,
-- jobs, keys, in this order), reads it again under the lock, and takes what is still
-- granted. Any number of dispatchers may run this at once: each skips what another
-- has locked, and no grant is made from old figures.
WITH clock AS MATERIALIZED (
  SELECT
    at.now,
    (at.now AT TIME ZONE 'UTC')::date AS today
  FROM (SELECT coalesce($3, clock_timestamp()) AS now) AS at
),
parent AS MATERIALIZED (
  SELECT
    p.id,
    least(
      $2,
      floor(extract(epoch FROM clock.now + p.tolerance - greatest(p.tat, clock.now)) / extract(epoch FROM p.step)) + 1,
      p.daily - CASE WHEN p.day = clock.today THEN p.day_jobs ELSE 0 END
    ) AS available
  FROM clock, public.limits AS p
  WHERE p.queue = $1
    AND p.tat - p.tolerance <= clock.now
    AND p.held_until <= clock.now
    AND (p.daily IS NULL OR p.day <> clock.today OR p.day_jobs < p.daily)
  ORDER BY p.granted_on
),
-- Each parent's groups, the one served longest ago first, each with its share of
-- what the parent grants; each group's first due jobs, one range of the dispatch
-- index a group. The inner LIMIT stops the walk as soon as the parent's grant is used.
candidate AS MATERIALIZED (
  SELECT
    parent.id AS parent_id,
    job.*
  FROM parent
  CROSS JOIN clock
  CROSS JOIN LATERAL (
    SELECT
      ready_group.id AS group_id,
      due.*
    FROM (
      SELECT
        g.id,
        least(
          floor(extract(epoch FROM clock.now + g.tolerance - greatest(g.tat, clock.now)) / extract(epoch FROM g.step)) + 1,
          ceil(parent.available / count(*) OVER ())
        ) AS available
      FROM public.limits AS g
      WHERE g.parent_id = parent.id
        AND g.tat - g.tolerance <= clock.now
        AND g.held_until <= clock.now
      ORDER BY g.granted_on
    ) AS ready_group
    CROSS JOIN LATERAL (
      SELECT
        j.id,
        j.group_tier AS key,
        greatest(k.tat - k.tolerance, k.held_until) AS key_ready_on
      FROM {schema}.job AS j
      LEFT JOIN public.limits AS k ON k.id = j.group_tier
      WHERE j.name = $1
        AND j.group_id = ready_group.id
        AND j.state < 'active'
        AND NOT j.blocked
        AND j.start_after <= clock.now
      ORDER BY j.start_after
      LIMIT ready_group.available
    ) AS due
    LIMIT parent.available
  ) AS job
  LIMIT $2
),
-- A job whose key is not ready steps aside until it is, so that it hides no other.
unready_job AS MATERIALIZED (
  SELECT
    j.id,
    candidate.key_ready_on
  FROM candidate
  CROSS JOIN clock
  JOIN {schema}.job AS j ON j.id = candidate.id
  WHERE j.name = $1
    AND j.state < 'active'
    AND candidate.key_ready_on > clock.now
  -- It waits for nobody: who holds a job may be waiting for a limit.
  FOR UPDATE OF j SKIP LOCKED
),
deferred AS (
  UPDATE {schema}.job AS j
  SET start_after = unready_job.key_ready_on
  FROM unready_job
  WHERE j.name = $1
    AND j.id = unready_job.id
),
-- `place` and `turn` count a job's row within its parent and group; of two jobs with one key, one goes.
chosen AS MATERIALIZED (
  SELECT
    candidate.*,
    row_number() OVER (PARTITION BY candidate.parent_id) AS place,
    row_number() OVER (PARTITION BY candidate.group_id) AS turn,
    row_number() OVER (PARTITION BY candidate.key) AS key_place
  FROM candidate, clock
  WHERE candidate.key_ready_on IS NULL
     OR candidate.key_ready_on <= clock.now
),
locked_parent AS MATERIALIZED (
  SELECT
    p.id,
    least(
      floor(extract(epoch FROM clock.now + p.tolerance - greatest(p.tat, clock.now)) / extract(epoch FROM p.step)) + 1,
      p.daily - CASE WHEN p.day = clock.today THEN p.day_jobs ELSE 0 END
    ) AS available
  FROM clock, public.limits AS p
  WHERE p.id IN (SELECT parent_id FROM chosen)
    AND p.tat - p.tolerance <= clock.now
    AND p.held_until <= clock.now
    AND (p.daily IS NULL OR p.day <> clock.today OR p.day_jobs < p.daily)
  FOR NO KEY UPDATE OF p SKIP LOCKED
),
locked_group AS MATERIALIZED (
  SELECT
    g.id,
    g.parent_id,
    locked_parent.available AS parent_available,
    floor(extract(epoch FROM clock.now + g.tolerance - greatest(g.tat, clock.now)) / extract(epoch FROM g.step)) + 1 AS available
  FROM locked_parent, clock, public.limits AS g
  WHERE g.id IN (SELECT group_id FROM chosen)
    AND g.parent_id = locked_parent.id
    AND g.tat - g.tolerance <= clock.now
    AND g.held_until <= clock.now
  FOR NO KEY UPDATE OF g SKIP LOCKED
),
locked_job AS MATERIALIZED (
  SELECT j.id, chosen.key
  FROM chosen
  CROSS JOIN clock
  JOIN locked_group ON locked_group.id = chosen.group_id
  JOIN {schema}.job AS j ON j.id = chosen.id
  WHERE chosen.place <= locked_group.parent_available
    AND chosen.turn <= locked_group.available
    AND (chosen.key IS NULL OR chosen.key_place = 1)
    AND j.name = $1
    AND j.state < 'active'
    AND NOT j.blocked
    AND j.start_after <= clock.now
  FOR UPDATE OF j SKIP LOCKED
),
charged_key AS (
  INSERT INTO public.limits (id, step, tat, granted_on)
  SELECT locked_job.key, $4, clock.now + $4, clock.now
  FROM locked_job, clock
  WHERE locked_job.key IS NOT NULL
  ORDER BY locked_job.key
  ON CONFLICT (id) DO UPDATE
  SET
    tat = greatest(limits.tat, excluded.granted_on) + limits.step,
    granted_on = excluded.granted_on
  WHERE limits.tat - limits.tolerance <= excluded.granted_on
    AND limits.held_until <= excluded.granted_on
  RETURNING id
),
taken AS (
  UPDATE {schema}.job AS j
  SET
    state = 'active',
    started_on = clock.now,
    heartbeat_on = clock.now,
    retry_count = CASE WHEN j.started_on IS NULL THEN j.retry_count ELSE j.retry_count + 1 END
  FROM locked_job, clock
  WHERE j.name = $1
    AND j.id = locked_job.id
    AND (locked_job.key IS NULL OR EXISTS (SELECT FROM charged_key WHERE charged_key.id = locked_job.key))
  RETURNING j.*
),
charge AS (
  SELECT group_id AS id, count(*) AS jobs
  FROM taken
  GROUP BY group_id
  UNION ALL
  SELECT locked_group.parent_id, count(*)
  FROM taken
  JOIN locked_group ON locked_group.id = taken.group_id
  GROUP BY locked_group.parent_id
),
charged AS (
  UPDATE public.limits AS l
  SET
    tat = greatest(l.tat, clock.now) + charge.jobs * l.step,
    granted_on = clock.now,
    day = clock.today,
    day_jobs = charge.jobs + CASE WHEN l.day = clock.today THEN l.day_jobs ELSE 0 END
  FROM charge, clock
  WHERE l.id = charge.id
)
SELECT {columns}
FROM taken
ORDER BY start_after
