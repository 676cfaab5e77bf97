-- Gives up the stranded message jobs of one campaign ($1), which is locked: one that
-- was being sent, now or before, is uncertain; one that was not has failed.
UPDATE jobs AS m
SET
  status = CASE WHEN m.status = 'SENDING' OR m.doubtful THEN 'UNCERTAIN' ELSE 'FAILED' END,
  error_class = 'HANDLER_LOST',
  error = 'its handlers died, more often than the queue retries',
  finished_at = now()
FROM pgboss.job AS q
WHERE q.name = 'send-message'
  AND q.state = 'failed'
  AND q.completed_on > now() - interval '1 hour'
  AND q.id = m.id
  AND m.campaign_id = $1
  AND m.status IN ('PENDING', 'SENDING')
RETURNING m.status
