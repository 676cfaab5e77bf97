--   $1 names, or null for all
SELECT
  q.name, q.policy, q.partition, q.table_name, q.notify, q.dead_letter,
  q.retry_limit, q.retry_delay, q.retry_backoff, q.retry_delay_max,
  q.expire_seconds, q.retention_seconds, q.deletion_seconds, q.heartbeat_seconds,
  q.deferred_count, q.queued_count, q.ready_count, q.active_count, q.failed_count, q.total_count,
  q.warning_queued, q.singletons_active,
  q.created_on, q.updated_on
FROM {schema}.queue AS q
WHERE $1 IS NULL
   OR q.name = ANY ($1)
ORDER BY q.name
