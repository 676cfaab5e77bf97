-- Lets go of the jobs that waited for jobs now completed, a thousand of these at once.
--   $1 queues of the completed jobs, or null for all
WITH listened AS (
  SELECT q.name
  FROM {schema}.queue AS q
  WHERE q.notify
),
parent AS MATERIALIZED (
  SELECT j.name, j.id
  FROM {schema}.job AS j
  WHERE j.blocking
    AND j.state = 'completed'
    AND ($1 IS NULL OR j.name = ANY ($1))
  LIMIT 1000
  FOR UPDATE OF j SKIP LOCKED
),
waiting AS (
  SELECT d.child_name, d.child_id, count(*)::int AS parents
  FROM {schema}.job_dependency AS d
  JOIN parent AS p ON p.name = d.parent_name AND p.id = d.parent_id
  GROUP BY d.child_name, d.child_id
),
-- In one order, so that two of these do not wait for each other.
child AS MATERIALIZED (
  SELECT j.name, j.id, w.parents
  FROM {schema}.job AS j
  JOIN waiting AS w ON w.child_name = j.name AND w.child_id = j.id
  WHERE j.blocked
  ORDER BY j.name, j.id
  FOR UPDATE OF j
),
freed AS (
  UPDATE {schema}.job AS j
  SET
    pending_dependencies = greatest(j.pending_dependencies - c.parents, 0),
    blocked = j.pending_dependencies > c.parents
  FROM child AS c
  WHERE j.name = c.name
    AND j.id = c.id
  RETURNING j.name, j.blocked
),
notified AS (
  SELECT pg_notify('pgboss_' || left(encode(sha224('{schema}'), 'hex'), 24), q.name)
  FROM listened AS q
  WHERE q.name IN (SELECT f.name FROM freed AS f WHERE NOT f.blocked)
),
cleared AS (
  UPDATE {schema}.job AS j
  SET blocking = false
  FROM parent AS p
  WHERE j.name = p.name
    AND j.id = p.id
  RETURNING j.id
)
SELECT (SELECT count(*) FROM cleared) AS parents, (SELECT count(*) FROM notified) AS notified
