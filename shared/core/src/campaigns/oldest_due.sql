-- The first message that waits of each running campaign: one look into the dispatch
-- index of the send-message partition for each.
SELECT min(waiting.start_after) AS oldest
FROM campaigns AS c
CROSS JOIN LATERAL (
  SELECT j.start_after
  FROM pgboss.job AS j
  WHERE j.name = 'send-message'
    AND j.group_id = 'campaign/' || c.id
    AND j.state < 'active'
    AND NOT j.blocked
  ORDER BY j.start_after
  LIMIT 1
) AS waiting
WHERE c.status = 'RUNNING'
  AND waiting.start_after <= now()
