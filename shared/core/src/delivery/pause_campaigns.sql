-- Pauses campaigns ($1 ids) for a reason ($2), until a time ($3) or until an
-- operator resumes them. A pause that an operator must end outlasts a flood wait.
UPDATE campaigns
SET
  status = 'PAUSED',
  pause_reason = $2,
  resumes_at = $3,
  updated_at = now()
WHERE id = ANY ($1)
  AND (status = 'RUNNING' OR (status = 'PAUSED' AND pause_reason = 'FLOOD_WAIT'))
RETURNING id
