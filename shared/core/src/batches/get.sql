SELECT
  b.id, b.name, b.description, b.created_at, b.updated_at,
  count(c.id) AS channels,
  count(c.id) FILTER (WHERE c.active AND c.opted_out_at IS NULL) AS sendable
FROM batches b
LEFT JOIN batch_channels bc ON bc.batch_id = b.id
LEFT JOIN channels c ON c.id = bc.channel_id
WHERE b.id = $1
GROUP BY b.id
