-- The page is cut first, so that only its own batches are counted.
WITH page AS (
  SELECT id, name, description, created_at, updated_at
  FROM batches
  WHERE $1::uuid IS NULL OR id < $1
  ORDER BY id DESC
  LIMIT $2
)
SELECT
  p.id, p.name, p.description, p.created_at, p.updated_at, n.channels, n.sendable
FROM page p
CROSS JOIN LATERAL (
  SELECT
    count(*) AS channels,
    count(*) FILTER (WHERE c.active AND c.opted_out_at IS NULL) AS sendable
  FROM batch_channels bc
  JOIN channels c ON c.id = bc.channel_id
  WHERE bc.batch_id = p.id
) AS n
ORDER BY p.id DESC
