-- Locks the campaigns of a batch ($1), and those of the bots that Telegram told to
-- wait or refused ($2: campaigns of theirs). Every transaction that touches
-- campaigns locks them first and in the order of their ids: no deadlocks.
SELECT
  c.id,
  c.bot_id,
  c.status,
  c.retry_limit,
  c.on_uncertain
FROM campaigns AS c
WHERE c.id = ANY ($1)
   OR (
     c.bot_id IN (SELECT bot_id FROM campaigns WHERE id = ANY ($2))
     AND c.status IN ('RUNNING', 'PAUSED')
   )
ORDER BY c.id
FOR NO KEY UPDATE
