-- Message jobs of a campaign ($1) that have a status ($2) wait again, in slots of a
-- new plan behind those that wait already.
WITH campaign AS (
  UPDATE campaigns
  SET plan = plan + 1
  WHERE id = $1
  RETURNING
    id,
    plan,
    delivery_rate,
    quiet_from,
    quiet_to,
    quiet_zone,
    total - sent - failed - skipped - uncertain - cancelled AS waiting
),
again AS (
  SELECT
    m.id,
    row_number() OVER (ORDER BY m.position) - 1 AS place
  FROM jobs AS m
  JOIN channels AS ch ON ch.id = m.channel_id
  WHERE m.campaign_id = $1
    AND m.status = $2
    AND ch.active
    AND ch.opted_out_at IS NULL
)
UPDATE jobs AS m
SET
  status = 'PENDING',
  slot = grid.slot,
  attempts = 0,
  doubtful = m.doubtful OR m.status = 'UNCERTAIN',
  fence_retry_count = NULL,
  fence_started_on = NULL,
  error_class = NULL,
  error = NULL,
  finished_at = NULL
FROM again
CROSS JOIN campaign
JOIN plan_slots(
  campaign.waiting + (SELECT count(*) FROM again),
  campaign.plan,
  campaign.delivery_rate,
  campaign.quiet_from,
  campaign.quiet_to,
  campaign.quiet_zone
) AS grid ON grid.place = campaign.waiting + again.place
WHERE m.id = again.id
RETURNING m.id
