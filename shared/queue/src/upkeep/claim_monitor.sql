-- Claims queues for counting and expiry, for this interval and among all clients.
--   $1 names, or null for all  $2 interval in seconds  $3 now, or null for the database's clock
-- Locked in the order of names: two passes at once wait for each other in a line, not in a circle.
WITH due AS MATERIALIZED (
  SELECT q.name
  FROM {schema}.queue AS q
  WHERE ($1 IS NULL OR q.name = ANY ($1))
    AND coalesce(q.monitor_claim_on, q.monitor_on, '-infinity') <= coalesce($3, now()) - interval '1s' * $2
  ORDER BY q.name
  FOR NO KEY UPDATE
)
UPDATE {schema}.queue AS q
SET monitor_claim_on = coalesce($3, now())
FROM due
WHERE q.name = due.name
RETURNING q.name
