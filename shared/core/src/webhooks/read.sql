-- One webhook ($1), or a page of webhooks, newest first: below the id $2, at most $3.
SELECT id, name, url, events, active, secret_sealed, created_at, updated_at
FROM webhooks
WHERE ($1::uuid IS NULL OR id = $1)
  AND ($2::uuid IS NULL OR id < $2)
ORDER BY id DESC
LIMIT $3
