UPDATE bots
SET
  name = coalesce($2, name),
  token_sealed = coalesce($3, token_sealed),
  -- The identity belongs to the token; a new token also ends a stop.
  telegram_id = CASE WHEN $3::bytea IS NULL THEN telegram_id ELSE $4 END,
  username = CASE WHEN $3::bytea IS NULL THEN username ELSE $5 END,
  stopped_at = CASE WHEN $3::bytea IS NULL THEN stopped_at END,
  stop_reason = CASE WHEN $3::bytea IS NULL THEN stop_reason END,
  rate_per_second = coalesce($6, rate_per_second),
  -- $7: whether the number for the day changes, to $8.
  messages_per_day = CASE WHEN $7 THEN $8 ELSE messages_per_day END,
  updated_at = now()
WHERE id = $1
