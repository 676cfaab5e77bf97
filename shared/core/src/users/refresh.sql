UPDATE sessions AS s
SET refresh_hash = $2, expires_at = now() + interval '14 days'
FROM users AS u
WHERE s.refresh_hash = $1
  AND s.expires_at > now()
  AND u.id = s.user_id
  AND u.disabled_at IS NULL
RETURNING s.id, s.user_id, s.expires_at
