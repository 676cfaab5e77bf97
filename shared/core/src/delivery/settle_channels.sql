-- What the outcomes say of the channels ($1 ids): $2 how many errors to add, or
-- null after a success; $3 whether the channel is gone; $4 its chat id and $5 its kind,
-- if learned. Only channels that change are touched, and locked in one order. Answers
-- those that turned out to be groups.
WITH told AS (
  SELECT *
  FROM unnest($1::uuid[], $2::integer[], $3::boolean[], $4::bigint[], $5::text[]) AS told (id, errors, gone, chat_id, kind)
),
changed AS (
  SELECT
    ch.id,
    told.errors,
    told.gone,
    told.chat_id,
    coalesce(told.kind, ch.kind) AS kind,
    told.kind IN ('GROUP', 'SUPERGROUP') AND ch.kind IS DISTINCT FROM told.kind AS is_new_group
  FROM channels AS ch
  JOIN told ON told.id = ch.id
  WHERE told.errors > 0
     OR told.gone
     OR (told.errors IS NULL AND ch.error_count > 0)
     OR (told.chat_id IS NOT NULL AND ch.chat_id IS DISTINCT FROM told.chat_id)
     OR (told.kind IS NOT NULL AND ch.kind IS DISTINCT FROM told.kind)
  ORDER BY ch.id
  -- Not FOR UPDATE: that would wait for plans and imports that only point to channels.
  FOR NO KEY UPDATE OF ch
),
updated AS (
  UPDATE channels AS ch
  SET
    error_count = CASE WHEN changed.errors IS NULL THEN 0 ELSE ch.error_count + changed.errors END,
    active = ch.active AND NOT changed.gone AND ch.error_count + coalesce(changed.errors, 0) < 5,
    inactive_reason = CASE
      WHEN NOT ch.active THEN ch.inactive_reason
      WHEN changed.gone THEN 'CHANNEL_GONE'
      WHEN ch.error_count + coalesce(changed.errors, 0) >= 5 THEN 'TOO_MANY_ERRORS'
      ELSE ch.inactive_reason
    END,
    -- Another row may have the chat already, under another name: then this one stays as it is.
    chat_id = CASE
      WHEN changed.chat_id IS NULL THEN ch.chat_id
      WHEN EXISTS (SELECT FROM channels AS other WHERE other.chat_id = changed.chat_id AND other.id <> ch.id) THEN ch.chat_id
      ELSE changed.chat_id
    END,
    kind = changed.kind,
    updated_at = now()
  FROM changed
  WHERE ch.id = changed.id
  RETURNING
    ch.id,
    changed.is_new_group
)
SELECT id
FROM updated
WHERE is_new_group
