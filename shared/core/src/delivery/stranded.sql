-- Message jobs that nobody works on any more: their queue job ran out of retries
-- because its handlers died. Looked for among the queue jobs that failed within
-- the last hour, by the index that V7 makes for this.
SELECT DISTINCT m.campaign_id
FROM pgboss.job AS q
JOIN jobs AS m ON m.id = q.id
WHERE q.name = 'send-message'
  AND q.state = 'failed'
  AND q.completed_on > now() - interval '1 hour'
  AND m.status IN ('PENDING', 'SENDING')
