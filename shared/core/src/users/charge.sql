-- Charges an attempt, unless attempts are refused now; then tells until when.
WITH charged AS (
  INSERT INTO login_failures AS f (key, failures, last_at, blocked_until)
  VALUES ($1, 1, now(), now())
  -- The row's lock lets attempts at the same key pass one at a time.
  ON CONFLICT (key) DO UPDATE
  SET
    failures = CASE WHEN f.last_at < now() - interval '15 minutes' THEN 1 ELSE f.failures + 1 END,
    last_at = now(),
    blocked_until = CASE
      WHEN f.last_at < now() - interval '15 minutes' OR f.failures + 1 < $2 THEN now()
      ELSE now() + make_interval(secs => least($3, 2 ^ least(f.failures + 1 - $2, 20)))
    END
  WHERE f.blocked_until <= now()
  RETURNING key
),
-- Old rows of others go a few at a time; the table stays small by itself.
swept AS (
  DELETE FROM login_failures
  WHERE key IN (
    SELECT key
    FROM login_failures
    WHERE last_at < now() - interval '1 hour' AND key <> $1
    LIMIT 10
    FOR UPDATE SKIP LOCKED
  )
)
SELECT blocked_until
FROM (SELECT 1) AS one
LEFT JOIN login_failures AS f ON f.key = $1 AND NOT EXISTS (SELECT FROM charged)
