-- In the order of channels, which is that of the plan: the unique index of campaign
-- and channel serves every page alike, however many came before.
SELECT
  id, channel_id, position, recipient, status, slot, attempts, message_id, error_class, error, finished_at
FROM jobs
WHERE campaign_id = $1
  AND ($2::text IS NULL OR status = $2)
  AND ($3::uuid IS NULL OR channel_id > $3)
  AND (
    $5::text IS NULL
    OR recipient->>'username' ILIKE $5
    OR recipient->>'title' ILIKE $5 COLLATE "und-x-icu"
  )
ORDER BY channel_id
LIMIT $4
