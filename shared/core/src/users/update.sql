UPDATE users
SET
  role = coalesce($2, role),
  disabled_at = CASE
    WHEN $3::boolean THEN coalesce(disabled_at, now())
    WHEN NOT $3::boolean THEN NULL
    ELSE disabled_at
  END,
  password_hash = coalesce($4, password_hash),
  updated_at = now()
WHERE id = $1
