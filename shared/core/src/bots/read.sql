-- One bot ($1), or a page of bots, newest first: below the id $2, at most $3.
SELECT
  id,
  name,
  token_sealed,
  telegram_id,
  username,
  rate_per_second,
  messages_per_day,
  ramp,
  ramp_on,
  stopped_at,
  stop_reason,
  created_at,
  updated_at,
  -- Until when Telegram told it to wait, and what it sent today.
  l.held_until,
  coalesce(l.messages_today, 0) AS messages_today
FROM bots
LEFT JOIN LATERAL (
  SELECT
    CASE WHEN held_until > now() AND held_until < 'infinity' THEN held_until END AS held_until,
    CASE WHEN day = (now() AT TIME ZONE 'UTC')::date THEN day_jobs END AS messages_today
  FROM limits
  WHERE limits.id = 'bot/' || bots.id
) AS l ON true
WHERE ($1::uuid IS NULL OR id = $1)
  AND ($2::uuid IS NULL OR id < $2)
ORDER BY id DESC
LIMIT $3
