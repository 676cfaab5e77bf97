-- What a start needs to know of a draft: its template's present version, which must
-- not change before it is pinned, and how many channels of its batch can be written to.
SELECT
  t.version AS template_version,
  (
    SELECT count(*)
    FROM batch_channels AS bc
    JOIN channels AS ch ON ch.id = bc.channel_id
    WHERE bc.batch_id = c.batch_id
      AND ch.active
      AND ch.opted_out_at IS NULL
  ) AS sendable_channels,
  b.stopped_at IS NOT NULL AS bot_stopped
FROM campaigns AS c
JOIN templates AS t ON t.id = c.template_id
JOIN bots AS b ON b.id = c.bot_id
WHERE c.id = $1
FOR SHARE OF t
