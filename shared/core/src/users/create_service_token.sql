INSERT INTO service_tokens (id, name, token_hash, role, expires_at, created_by)
VALUES ($1, $2, $3, $4, now() + make_interval(days => $5), $6)
RETURNING id, name, role, expires_at, created_by, created_at
