-- Cancels what waits of a campaign ($1, its limit group $2): queue jobs and message
-- jobs. What a handler holds at this moment settles as it comes; the claim stops
-- the rest.
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
    status = 'CANCELLED',
    finished_at = now()
  FROM queue_job
  WHERE m.id = queue_job.id
    AND m.status = 'PENDING'
  RETURNING m.id
)
UPDATE campaigns
SET cancelled = cancelled + (SELECT count(*) FROM message_job)
WHERE id = $1
