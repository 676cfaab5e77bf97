-- Campaigns that wait because Telegram told their bot to.
SELECT count(*)
FROM campaigns
WHERE status = 'PAUSED'
  AND pause_reason = 'FLOOD_WAIT'
