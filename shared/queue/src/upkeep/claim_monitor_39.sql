-- The same up to version 39, where the claim has no column of its own.
--   $1 names, or null for all  $2 interval in seconds  $3 now, or null for the database's clock
UPDATE {schema}.queue AS q
SET monitor_on = coalesce($3, now())
WHERE ($1 IS NULL OR q.name = ANY ($1))
  AND coalesce(q.monitor_on, '-infinity') <= coalesce($3, now()) - interval '1s' * $2
RETURNING q.name
