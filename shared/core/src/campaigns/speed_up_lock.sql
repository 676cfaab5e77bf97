-- The campaigns of the bots whose rates grow now, locked in the order of their ids.
SELECT
  c.id,
  c.bot_id
FROM campaigns AS c
JOIN bots AS b ON b.id = c.bot_id
WHERE b.ramp_on <= now()
  AND c.status IN ('RUNNING', 'PAUSED')
ORDER BY c.id
FOR NO KEY UPDATE OF c
