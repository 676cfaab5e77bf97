-- Changes what the options name, and nothing else; a null one is cleared.
--   $1 name  $2 options
UPDATE {schema}.queue AS q
SET
  retry_limit = coalesce(($2 ->> 'retryLimit')::int, q.retry_limit),
  retry_delay = coalesce(($2 ->> 'retryDelay')::int, q.retry_delay),
  retry_backoff = coalesce(($2 ->> 'retryBackoff')::bool, q.retry_backoff),
  retry_delay_max = CASE WHEN $2 ? 'retryDelayMax' THEN ($2 ->> 'retryDelayMax')::int ELSE q.retry_delay_max END,
  expire_seconds = coalesce(($2 ->> 'expireInSeconds')::int, q.expire_seconds),
  retention_seconds = coalesce(($2 ->> 'retentionSeconds')::int, q.retention_seconds),
  deletion_seconds = coalesce(($2 ->> 'deleteAfterSeconds')::int, q.deletion_seconds),
  warning_queued = coalesce(($2 ->> 'warningQueueSize')::int, q.warning_queued),
  heartbeat_seconds = CASE WHEN $2 ? 'heartbeatSeconds' THEN ($2 ->> 'heartbeatSeconds')::int ELSE q.heartbeat_seconds END,
  notify = coalesce(($2 ->> 'notify')::bool, q.notify),
  dead_letter = CASE WHEN $2 ? 'deadLetter' THEN $2 ->> 'deadLetter' ELSE q.dead_letter END,
  updated_on = now()
WHERE q.name = $1
RETURNING q.name
