-- What the campaigns ($1) pinned when they started.
SELECT
  id,
  bot_id,
  template_id,
  template_version,
  params,
  mode,
  test_chat_id
FROM campaigns
WHERE id = ANY ($1)
  AND template_version IS NOT NULL
