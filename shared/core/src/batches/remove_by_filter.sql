-- Titles are of any script: ICU folds their case, whatever the locale of the database.
DELETE FROM batch_channels AS bc
USING channels AS c
WHERE bc.batch_id = $1
  AND c.id = bc.channel_id
  AND ($2::text IS NULL OR c.category = $2)
  AND ($3::boolean IS NULL OR c.active = $3)
  AND ($4::text IS NULL OR c.username ILIKE $4 OR c.title ILIKE $4 COLLATE "und-x-icu")
  AND ($5::uuid IS NULL OR c.id IN (SELECT channel_id FROM batch_channels WHERE batch_id = $5))
