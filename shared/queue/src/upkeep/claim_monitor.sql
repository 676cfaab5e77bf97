-- Claims queues for counting and expiry, for this interval and among all clients.
--   $1 names, or null for all  $2 interval in seconds  $3 now, or null for the database's clock
UPDATE {schema}.queue AS q
SET monitor_claim_on = coalesce($3, now())
WHERE ($1 IS NULL OR q.name = ANY ($1))
  AND coalesce(q.monitor_claim_on, q.monitor_on, '-infinity') <= coalesce($3, now()) - interval '1s' * $2
RETURNING q.name
