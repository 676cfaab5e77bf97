-- Gives what waits of a campaign ($1) new slots from now on, in the order it had.
-- A retry keeps its own time where that is later. The slots of this plan differ
-- from all earlier ones of the campaign (see plan_slot), so that the unique index
-- on singleton_on cannot collide while the rows change one by one.
WITH campaign AS (
  UPDATE campaigns
  SET plan = plan + 1
  WHERE id = $1
  RETURNING id, plan, delivery_rate, quiet_from, quiet_to, quiet_zone
),
waiting AS (
  SELECT
    q.id,
    row_number() OVER (ORDER BY q.start_after, q.id) - 1 AS place,
    CASE WHEN q.state = 'retry' THEN q.start_after END AS retry_on
  FROM pgboss.job AS q
  WHERE q.name = 'send-message'
    AND q.group_id = $2
    AND q.state < 'active'
    AND NOT q.blocked
),
planned AS MATERIALIZED (
  SELECT
    waiting.id,
    grid.slot,
    greatest(
      plan_start(
        grid.slot,
        plan_jitter(campaign.id, campaign.delivery_rate, waiting.place),
        campaign.quiet_from,
        campaign.quiet_to,
        campaign.quiet_zone
      ),
      waiting.retry_on
    ) AS start_after
  FROM campaign
  CROSS JOIN LATERAL plan_slots(
    (SELECT count(*) FROM waiting),
    campaign.plan,
    campaign.delivery_rate,
    campaign.quiet_from,
    campaign.quiet_to,
    campaign.quiet_zone
  ) AS grid
  JOIN waiting ON waiting.place = grid.place
),
message_job AS (
  UPDATE jobs AS m
  SET slot = planned.slot
  FROM planned
  WHERE m.id = planned.id
)
UPDATE pgboss.job AS q
SET
  singleton_on = planned.slot AT TIME ZONE 'UTC',
  start_after = planned.start_after
FROM planned
WHERE q.name = 'send-message'
  AND q.id = planned.id
  AND q.state < 'active'
