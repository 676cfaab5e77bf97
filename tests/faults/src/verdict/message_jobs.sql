-- Every message job with its queue job, if it still has one, its dispatches, and the
-- moments from which on it may have been sent once more. Times are microseconds since 1970.
SELECT
  c.name AS campaign,
  m.recipient->>'username' AS channel,
  m.status,
  coalesce(m.error_class, '') AS error_class,
  q.state::text AS queue_state,
  -- For whoever has to find out.
  concat_ws(
    ' ',
    m.attempts || ' attempts, fence',
    m.fence_retry_count,
    m.fence_started_on,
    '; queue job:',
    q.state::text,
    q.retry_count || ' of ' || q.retry_limit,
    q.started_on,
    q.completed_on,
    q.output
  ) AS details,
  coalesce(
    (SELECT array_agg((extract(epoch FROM d.at) * 1000000)::bigint ORDER BY d.at)
     FROM faults.dispatches AS d
     WHERE d.job_id = m.id),
    '{}'
  ) AS dispatches,
  coalesce(
    (SELECT array_agg((extract(epoch FROM d.at) * 1000000)::bigint ORDER BY d.at)
     FROM faults.doubts AS d
     WHERE d.job_id = m.id),
    '{}'
  ) AS doubts
FROM jobs AS m
JOIN campaigns AS c ON c.id = m.campaign_id
LEFT JOIN pgboss.job AS q ON q.name = 'send-message' AND q.id = m.id
