-- Lands rows that are distinct by username and chat_id among themselves.
WITH rows AS (
  SELECT ord, username, chat_id, title, category, tgstat_url, collected_at, metadata
  FROM unnest(
    $1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::jsonb[]
  ) WITH ORDINALITY AS r (username, chat_id, title, category, tgstat_url, collected_at, metadata, ord)
),
-- The channel a row means, where there is one: by chat_id, else by name. Two
-- look-ups, because an OR of them would keep both indexes out.
known AS (
  SELECT DISTINCT ON (ord) ord, id
  FROM (
    SELECT r.ord, c.id, 1 AS rank
    FROM rows r
    JOIN channels c ON c.chat_id = r.chat_id
    UNION ALL
    SELECT r.ord, c.id, 2 AS rank
    FROM rows r
    JOIN channels c ON lower(c.username) = lower(r.username)
  ) AS found
  ORDER BY ord, rank
),
-- What a row tells is learnt, what it leaves out stays; who a channel is, whether
-- it is active and whether it opted out is not an import's to say.
updated AS (
  UPDATE channels AS c
  SET
    title = coalesce(r.title, c.title),
    category = coalesce(r.category, c.category),
    tgstat_url = coalesce(r.tgstat_url, c.tgstat_url),
    collected_at = coalesce(r.collected_at, c.collected_at),
    metadata = c.metadata || r.metadata,
    updated_at = now()
  FROM rows r
  JOIN known k ON k.ord = r.ord
  WHERE c.id = k.id
    AND (c.title, c.category, c.tgstat_url, c.collected_at, c.metadata) IS DISTINCT FROM (
      coalesce(r.title, c.title),
      coalesce(r.category, c.category),
      coalesce(r.tgstat_url, c.tgstat_url),
      coalesce(r.collected_at, c.collected_at),
      c.metadata || r.metadata
    )
  RETURNING c.id
),
inserted AS (
  INSERT INTO channels (id, username, chat_id, title, category, tgstat_url, collected_at, metadata)
  SELECT uuid_v7(), r.username, r.chat_id, r.title, r.category, r.tgstat_url, r.collected_at, r.metadata
  FROM rows r
  WHERE NOT EXISTS (SELECT FROM known k WHERE k.ord = r.ord)
  ORDER BY r.ord
  -- A channel that was added by hand at this moment.
  ON CONFLICT DO NOTHING
  RETURNING id
)
SELECT
  (SELECT count(*) FROM inserted) AS inserted,
  (SELECT count(*) FROM updated) AS updated
