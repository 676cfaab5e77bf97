-- Titles are of any script: ICU folds their case, whatever the locale of the database.
SELECT
  id, username, chat_id, title, category, tgstat_url, collected_at, metadata,
  active, inactive_reason, error_count, opted_out_at, created_at, updated_at
FROM channels
WHERE ($1::text IS NULL OR category = $1)
  AND ($2::boolean IS NULL OR active = $2)
  AND ($3::text IS NULL OR username ILIKE $3 OR title ILIKE $3 COLLATE "und-x-icu")
  AND ($4::uuid IS NULL OR id IN (SELECT channel_id FROM batch_channels WHERE batch_id = $4))
  AND ($5::uuid IS NULL OR id < $5)
ORDER BY id DESC
LIMIT $6
