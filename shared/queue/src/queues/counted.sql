-- The counts as they were last kept, and how old they are; the age is null where
-- nobody counted yet.
--   $1 name
SELECT
  q.name, q.deferred_count, q.queued_count, q.ready_count, q.active_count, q.failed_count, q.total_count,
  coalesce(q.monitor_on, now()) AS captured_on,
  extract(epoch FROM now() - q.monitor_on)::float8 AS age
FROM {schema}.queue AS q
WHERE q.name = $1
