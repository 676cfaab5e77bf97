-- Cancels what waits of a campaign ($1, its limit group $2): queue jobs and message
-- jobs. What a handler holds at this moment settles as it comes; the claim stops
-- the rest. A message that an attempt may have sent is uncertain.
WITH queue_job AS (
  UPDATE pgboss.job
  SET
    state = 'cancelled',
    completed_on = now()
  WHERE name = 'send-message'
    AND group_id = $2
    AND state < 'active'
  RETURNING id
),
message_job AS (
  UPDATE jobs AS m
  SET
    status = CASE WHEN m.status = 'SENDING' OR m.doubtful THEN 'UNCERTAIN' ELSE 'CANCELLED' END,
    finished_at = now()
  FROM queue_job
  WHERE m.id = queue_job.id
    AND m.status IN ('PENDING', 'SENDING')
  RETURNING m.status
)
UPDATE campaigns
SET
  cancelled = cancelled + (SELECT count(*) FROM message_job WHERE status = 'CANCELLED'),
  uncertain = uncertain + (SELECT count(*) FROM message_job WHERE status = 'UNCERTAIN')
WHERE id = $1
