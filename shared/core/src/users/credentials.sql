SELECT id, username, password_hash, role, disabled_at, created_at, updated_at
FROM users
WHERE lower(username) = lower($1) AND disabled_at IS NULL
