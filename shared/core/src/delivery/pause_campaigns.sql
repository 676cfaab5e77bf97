-- Pauses campaigns ($1 ids), which are locked, for a reason ($2), until a time ($3) or
-- until an operator resumes them. A pause that an operator must end outlasts a flood
-- wait. Answers for each whether that is news, and not more of the same flood wait.
WITH before AS (
  SELECT
    id,
    pause_reason
  FROM campaigns
  WHERE id = ANY ($1)
    AND (status = 'RUNNING' OR (status = 'PAUSED' AND pause_reason = 'FLOOD_WAIT'))
)
UPDATE campaigns AS c
SET
  status = 'PAUSED',
  pause_reason = $2,
  resumes_at = $3,
  updated_at = now()
FROM before
WHERE c.id = before.id
RETURNING
  c.id,
  before.pause_reason IS DISTINCT FROM c.pause_reason AS is_news
