-- Changes a campaign ($1): a value that is null leaves what there is, except for those
-- that may be taken away.
UPDATE campaigns
SET
  name = coalesce($2, name),
  batch_id = coalesce($3, batch_id),
  template_id = coalesce($4, template_id),
  bot_id = coalesce($5, bot_id),
  params = coalesce($6, params),
  delivery_rate = coalesce($7, delivery_rate),
  retry_limit = coalesce($8, retry_limit),
  on_uncertain = coalesce($9, on_uncertain),
  scheduled_at = $10,
  not_after = $11,
  quiet_from = $12,
  quiet_to = $13,
  quiet_zone = $14,
  cron = $15,
  cron_zone = $16,
  updated_at = now()
WHERE id = $1
