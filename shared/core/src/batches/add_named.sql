-- Puts the channels with these names ($2, in lower case) or chat ids ($3) into a
-- batch ($1); those that opted out stay outside.
INSERT INTO batch_channels (batch_id, channel_id)
SELECT $1, id
FROM channels
WHERE (lower(username) = ANY ($2) OR chat_id = ANY ($3))
  AND opted_out_at IS NULL
ON CONFLICT DO NOTHING
