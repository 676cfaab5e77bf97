-- Every message job with its queue job, if it still has one.
SELECT
  c.name AS campaign,
  m.recipient->>'username' AS channel,
  m.status,
  coalesce(m.error_class, '') AS error_class,
  q.state::text AS queue_state,
  (extract(epoch FROM q.started_on) * 1000000)::bigint AS dispatched
FROM jobs AS m
JOIN campaigns AS c ON c.id = m.campaign_id
LEFT JOIN pgboss.job AS q ON q.name = 'send-message' AND q.id = m.id
