-- Locks the campaigns of a batch ($1), and those of the bots that Telegram told to
-- wait or refused ($2: campaigns of theirs). Every transaction that touches
-- campaigns locks them first and in the order of their ids: no deadlocks.
SELECT
  c.id,
  c.bot_id,
  c.retry_limit,
  c.on_uncertain,
  c.mode = 'LIVE' AS is_live,
  -- Since the last flood wait of the bot messages of it were accepted.
  NOT EXISTS (
    SELECT
    FROM campaigns AS other
    WHERE other.bot_id = c.bot_id
      AND other.flood_streak > 0
      AND other.status IN ('RUNNING', 'PAUSED')
  ) AS bot_flows
FROM campaigns AS c
-- A handler that vanishes here must not keep the campaigns locked.
CROSS JOIN (SELECT set_config('idle_in_transaction_session_timeout', '15s', true)) AS session
WHERE c.id = ANY ($1)
   OR (
     c.bot_id IN (SELECT bot_id FROM campaigns WHERE id = ANY ($2))
     AND c.status IN ('RUNNING', 'PAUSED')
   )
ORDER BY c.id
FOR NO KEY UPDATE OF c
