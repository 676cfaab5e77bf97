-- Campaigns whose counters are not those of their message jobs, in one snapshot. Rows
-- that are not terminal are no counter's.
SELECT c.name
FROM campaigns AS c
LEFT JOIN jobs AS m ON m.campaign_id = c.id
GROUP BY c.id
HAVING (c.sent, c.failed, c.skipped, c.uncertain, c.cancelled)
  IS DISTINCT FROM (
    count(*) FILTER (WHERE m.status = 'SENT'),
    count(*) FILTER (WHERE m.status = 'FAILED'),
    count(*) FILTER (WHERE m.status = 'SKIPPED'),
    count(*) FILTER (WHERE m.status = 'UNCERTAIN'),
    count(*) FILTER (WHERE m.status = 'CANCELLED')
  )
  OR (c.planned_at IS NOT NULL AND c.total <> count(m.id))
