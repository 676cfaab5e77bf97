-- Ends the flood waits that are over.
UPDATE campaigns
SET
  status = 'RUNNING',
  pause_reason = NULL,
  resumes_at = NULL,
  updated_at = now()
WHERE id IN (
  SELECT id
  FROM campaigns
  WHERE resumes_at <= now()
    AND status = 'PAUSED'
    AND pause_reason = 'FLOOD_WAIT'
  FOR UPDATE SKIP LOCKED
)
RETURNING id
