INSERT INTO campaigns (
  id,
  name,
  batch_id,
  template_id,
  bot_id,
  params,
  delivery_rate,
  retry_limit,
  on_uncertain,
  scheduled_at,
  not_after,
  created_by,
  mode,
  test_chat_id,
  quiet_from,
  quiet_to,
  quiet_zone,
  cron,
  cron_zone
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
