SELECT id, username, role, disabled_at, created_at, updated_at
FROM users
WHERE id = $1
