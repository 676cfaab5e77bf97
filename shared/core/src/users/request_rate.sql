-- Charges a request to $1: $2 a second, $3 at once after a pause. No row where it is too many.
WITH swept AS (
  -- Old rows of others go a few at a time; the table stays small by itself.
  DELETE FROM request_rates
  WHERE key IN (
    SELECT key
    FROM request_rates
    WHERE tat < now() - interval '1 hour' AND key <> $1
    ORDER BY tat
    LIMIT 3
    FOR UPDATE SKIP LOCKED
  )
)
INSERT INTO request_rates AS r (key, tat)
VALUES ($1, now() + interval '1 second' / $2)
-- The row's lock lets requests of the same token pass one at a time.
ON CONFLICT (key) DO UPDATE
SET tat = greatest(r.tat, now()) + interval '1 second' / $2
WHERE r.tat <= now() + interval '1 second' / $2 * ($3 - 1)
RETURNING tat
