SELECT
  id, username, chat_id, title, category, tgstat_url, collected_at, metadata,
  active, inactive_reason, error_count, opted_out_at, created_at, updated_at
FROM channels
WHERE id = $1
