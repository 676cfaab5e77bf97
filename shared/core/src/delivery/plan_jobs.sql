-- The message jobs of a campaign ($1), one for each channel of its batch, as the
-- channels are now. A channel that must not be written to gets a row that says so,
-- and no slot of its own. Planning twice changes nothing.
INSERT INTO jobs (id, campaign_id, channel_id, position, recipient, status, slot, error_class, finished_at)
SELECT
  uuid_v7(),
  $1,
  recipient.channel_id,
  recipient.position,
  recipient.recipient,
  CASE WHEN recipient.refusal IS NULL THEN 'PENDING' ELSE 'SKIPPED' END,
  grid.slot,
  recipient.refusal,
  CASE WHEN recipient.refusal IS NULL THEN NULL ELSE now() END
FROM campaigns AS c
CROSS JOIN LATERAL (
  SELECT
    channel.*,
    row_number() OVER (ORDER BY channel.channel_id) - 1 AS position,
    row_number() OVER (PARTITION BY channel.refusal IS NULL ORDER BY channel.channel_id) - 1 AS place
  FROM (
    SELECT
      ch.id AS channel_id,
      jsonb_strip_nulls(jsonb_build_object(
        'chat', CASE WHEN ch.chat_id IS NULL THEN to_jsonb('@' || ch.username) ELSE to_jsonb(ch.chat_id) END,
        'username', ch.username,
        'title', ch.title,
        'category', ch.category
      )) AS recipient,
      CASE
        WHEN ch.opted_out_at IS NOT NULL THEN 'OPTED_OUT'
        WHEN NOT ch.active THEN 'INACTIVE'
      END AS refusal
    FROM batch_channels AS bc
    JOIN channels AS ch ON ch.id = bc.channel_id
    WHERE bc.batch_id = c.batch_id
  ) AS channel
) AS recipient
JOIN plan_slots(
  (SELECT count(*) FROM batch_channels AS bc WHERE bc.batch_id = (SELECT batch_id FROM campaigns WHERE id = $1)),
  c.plan,
  c.delivery_rate,
  c.quiet_from,
  c.quiet_to,
  c.quiet_zone
) AS grid ON grid.place = recipient.place
WHERE c.id = $1
ORDER BY recipient.position
ON CONFLICT (campaign_id, channel_id) DO NOTHING
