-- The groups among the recipients of a campaign ($1): by what Telegram told, or by an id
-- that only small groups have.
SELECT
  c.bot_id,
  ch.id AS channel_id
FROM campaigns AS c
JOIN batch_channels AS bc ON bc.batch_id = c.batch_id
JOIN channels AS ch ON ch.id = bc.channel_id
WHERE c.id = $1
  AND c.mode = 'LIVE'
  AND (
    ch.kind IN ('GROUP', 'SUPERGROUP')
    OR (ch.kind IS NULL AND ch.chat_id < 0 AND ch.chat_id > -1000000000000)
  )
ORDER BY ch.id
