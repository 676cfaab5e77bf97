-- The campaign ($2) of an occurrence of one that recurs ($1): its settings, and the
-- time in its name.
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
  quiet_from,
  quiet_to,
  quiet_zone,
  mode,
  test_chat_id,
  created_by,
  recurs_as
)
SELECT
  $2,
  left(c.name, 180) || ' ' || to_char(now() AT TIME ZONE c.cron_zone, 'YYYY-MM-DD HH24:MI'),
  c.batch_id,
  c.template_id,
  c.bot_id,
  c.params,
  c.delivery_rate,
  c.retry_limit,
  c.on_uncertain,
  c.quiet_from,
  c.quiet_to,
  c.quiet_zone,
  c.mode,
  c.test_chat_id,
  c.created_by,
  c.id
FROM campaigns AS c
WHERE c.id = $1
ON CONFLICT (id) DO NOTHING
