SELECT u.id, u.username, u.role, u.disabled_at, u.created_at, u.updated_at, s.id AS session_id
FROM sessions s
JOIN users u ON u.id = s.user_id
WHERE s.refresh_hash = $1
  AND s.expires_at > now()
  AND u.disabled_at IS NULL
