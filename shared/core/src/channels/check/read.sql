-- One check ($1), or a page of checks, newest first: below the id $2, at most $3.
SELECT id, bot_id, total, active, inactive, unclear, created_at, finished_at
FROM channel_checks
WHERE ($1::uuid IS NULL OR id = $1)
  AND ($2::uuid IS NULL OR id < $2)
ORDER BY id DESC
LIMIT $3
