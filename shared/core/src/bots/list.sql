SELECT
  id, name, telegram_id, username, rate_per_second,
  stopped_at, stop_reason, created_at, updated_at
FROM bots
WHERE $1::uuid IS NULL OR id < $1
ORDER BY id DESC
LIMIT $2
