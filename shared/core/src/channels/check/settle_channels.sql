-- What was found of channels ($1 ids): $2 whether they can be written to, $3 why not, $4 their
-- chat id, $5 their kind and $6 their title, where Telegram told. A channel that somebody
-- deactivated by hand stays so, and so does what an owner said. Locked in one order.
WITH found AS (
  SELECT *
  FROM unnest($1::uuid[], $2::boolean[], $3::text[], $4::bigint[], $5::text[], $6::text[])
    AS found (id, usable, reason, chat_id, kind, title)
),
locked AS (
  SELECT ch.id
  FROM channels AS ch
  JOIN found ON found.id = ch.id
  ORDER BY ch.id
  FOR NO KEY UPDATE OF ch
)
UPDATE channels AS ch
SET
  active = CASE
    WHEN ch.inactive_reason = 'deactivated by hand' THEN ch.active
    ELSE found.usable
  END,
  inactive_reason = CASE
    WHEN ch.inactive_reason = 'deactivated by hand' THEN ch.inactive_reason
    WHEN found.usable THEN NULL
    ELSE found.reason
  END,
  error_count = CASE WHEN found.usable THEN 0 ELSE ch.error_count END,
  -- Another row may have the chat already, under another name: then this one stays as it is.
  chat_id = CASE
    WHEN found.chat_id IS NULL THEN ch.chat_id
    WHEN EXISTS (SELECT FROM channels AS other WHERE other.chat_id = found.chat_id AND other.id <> ch.id) THEN ch.chat_id
    ELSE found.chat_id
  END,
  kind = coalesce(found.kind, ch.kind),
  title = coalesce(found.title, ch.title),
  updated_at = now()
FROM locked
JOIN found ON found.id = locked.id
WHERE ch.id = locked.id
