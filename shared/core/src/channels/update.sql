UPDATE channels
SET
  username = coalesce($2, username),
  chat_id = coalesce($3, chat_id),
  title = coalesce($4, title),
  category = coalesce($5, category),
  metadata = coalesce($6, metadata),
  active = coalesce($7, active),
  -- Activated again, a channel starts afresh.
  inactive_reason = CASE
    WHEN $7::boolean THEN NULL
    WHEN NOT $7::boolean AND active THEN 'deactivated by hand'
    ELSE inactive_reason
  END,
  error_count = CASE WHEN $7::boolean AND NOT active THEN 0 ELSE error_count END,
  opted_out_at = CASE
    WHEN $8::boolean THEN coalesce(opted_out_at, now())
    WHEN NOT $8::boolean THEN NULL
    ELSE opted_out_at
  END,
  updated_at = now()
WHERE id = $1
