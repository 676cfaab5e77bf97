-- Message jobs ($1 ids, $2 message ids) whose attempt was given up and reports now
-- that Telegram accepted the message. Where another attempt is sending it at this
-- moment, that one's answer comes too late. Answers what they were, as they are counted.
WITH before AS (
  SELECT
    m.id,
    m.campaign_id,
    m.status,
    told.message_id
  FROM unnest($1::uuid[], $2::bigint[]) AS told (id, message_id)
  JOIN jobs AS m ON m.id = told.id
  WHERE m.status IN ('UNCERTAIN', 'PENDING', 'SENDING')
  FOR UPDATE OF m
)
UPDATE jobs AS m
SET
  status = 'SENT',
  message_id = before.message_id,
  error_class = NULL,
  error = NULL,
  finished_at = now()
FROM before
WHERE m.id = before.id
RETURNING
  before.campaign_id,
  CASE before.status WHEN 'SENDING' THEN 'PENDING' ELSE before.status END AS status
