-- Gauges of campaigns and bots, families together.
SELECT
  'telecast_campaigns' AS name,
  'Campaigns by status.' AS about,
  format('status="%s"', status) AS labels,
  count(*) AS value
FROM campaigns
GROUP BY status
UNION ALL
-- Only campaigns that are not over: their counters are few rows, whatever was ever sent.
SELECT
  'telecast_messages',
  'Message jobs of the campaigns under way, by state.',
  format('state="%s"', state),
  coalesce(sum(count), 0)::bigint
FROM campaigns
CROSS JOIN LATERAL (
  VALUES
    ('pending', total - sent - failed - skipped - uncertain - cancelled),
    ('sent', sent),
    ('failed', failed),
    ('skipped', skipped),
    ('uncertain', uncertain)
) AS counts (state, count)
WHERE status IN ('RUNNING', 'PAUSED')
GROUP BY state
UNION ALL
SELECT
  'telecast_bots',
  'Bots by what they may do.',
  format('state="%s"', state),
  count(*)
FROM bots AS b
LEFT JOIN limits AS l ON l.id = 'bot/' || b.id
CROSS JOIN LATERAL (
  SELECT CASE
    WHEN b.stopped_at IS NOT NULL THEN 'stopped'
    WHEN l.held_until > now() THEN 'held'
    ELSE 'sending'
  END AS state
) AS now
GROUP BY state
ORDER BY name, labels
