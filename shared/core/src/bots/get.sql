SELECT
  id, name, token_sealed, telegram_id, username, rate_per_second,
  stopped_at, stop_reason, created_at, updated_at
FROM bots
WHERE id = $1
