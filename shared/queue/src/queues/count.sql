-- Counts the jobs of queues, and keeps the counts where pg-boss and its dashboard
-- read them. Not while another counts: the lock is tried, unless $2 says to count anyway.
--   $1 names  $2 without the lock
WITH turn AS MATERIALIZED (
  SELECT $2 OR pg_try_advisory_xact_lock(hashtext('{schema}.count')) AS got
),
-- Locked in the order of names, as the claims are.
known AS MATERIALIZED (
  SELECT q.name
  FROM {schema}.queue AS q
  WHERE q.name = ANY ($1)
    AND (SELECT turn.got FROM turn)
  ORDER BY q.name
  FOR NO KEY UPDATE
),
counts AS (
  SELECT
    j.name,
    count(*) FILTER (WHERE j.state < 'active' AND j.start_after > now()) AS deferred,
    count(*) FILTER (WHERE j.state < 'active') AS queued,
    count(*) FILTER (WHERE j.state = 'active') AS active,
    count(*) FILTER (WHERE j.state = 'failed') AS failed,
    count(*) AS total,
    array_agg(j.singleton_key) FILTER (WHERE j.state = 'active' AND j.policy IN ('singleton', 'stately')) AS singletons
  FROM {schema}.job AS j
  WHERE j.name = ANY ($1)
    AND (SELECT turn.got FROM turn)
  GROUP BY j.name
)
UPDATE {schema}.queue AS q
SET
  deferred_count = coalesce(c.deferred, 0),
  queued_count = coalesce(c.queued, 0),
  ready_count = coalesce(c.queued - c.deferred, 0),
  active_count = coalesce(c.active, 0),
  failed_count = coalesce(c.failed, 0),
  total_count = coalesce(c.total, 0),
  singletons_active = c.singletons,
  monitor_on = now(),
  -- The newest sixty, the newest first.
  ready_history = (ARRAY[coalesce(c.queued - c.deferred, 0)::int] || q.ready_history)[1:60]
FROM known AS n
LEFT JOIN counts AS c ON c.name = n.name
WHERE q.name = n.name
RETURNING
  q.name, q.deferred_count, q.queued_count, q.ready_count, q.active_count, q.failed_count, q.total_count,
  q.monitor_on AS captured_on, q.warning_queued
