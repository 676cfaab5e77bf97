-- Campaigns whose start failed for good, because its handlers died or could not plan:
-- they would wait for ever. One that recurs has another occurrence.
UPDATE campaigns AS c
SET
  status = 'FAILED',
  failure = 'its start failed too often; see the failed jobs of the queue start-campaign, then make it anew',
  finished_at = now(),
  updated_at = now()
FROM pgboss.job AS q
WHERE q.name = 'start-campaign'
  AND q.state = 'failed'
  AND q.completed_on > now() - interval '1 day'
  AND c.id = (q.data->>'campaignId')::uuid
  AND c.status = 'QUEUED'
  AND c.planned_at IS NULL
  AND c.cron IS NULL
  AND NOT EXISTS (
    SELECT
    FROM pgboss.job AS other
    WHERE other.name = 'start-campaign'
      AND other.state < 'completed'
      AND other.data->>'campaignId' = q.data->>'campaignId'
  )
RETURNING
  c.id,
  c.failure
