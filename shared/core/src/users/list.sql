SELECT id, username, role, disabled_at, created_at, updated_at
FROM users
WHERE $1::uuid IS NULL OR id < $1
ORDER BY id DESC
LIMIT $2
