-- Titles are of any script: ICU folds their case, whatever the locale of the database.
INSERT INTO batch_channels (batch_id, channel_id)
SELECT $1, id
FROM channels
WHERE opted_out_at IS NULL
  AND ($2::text IS NULL OR category = $2)
  AND ($3::boolean IS NULL OR active = $3)
  AND ($4::text IS NULL OR username ILIKE $4 OR title ILIKE $4 COLLATE "und-x-icu")
  AND ($5::uuid IS NULL OR id IN (SELECT channel_id FROM batch_channels WHERE batch_id = $5))
ON CONFLICT DO NOTHING
