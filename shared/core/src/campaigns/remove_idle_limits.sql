-- Limits that nobody will charge again: of campaigns that ended, and of chats that
-- were not written to for an hour. Those of groups say more than the default, and stay.
-- A campaign that somebody has locked may be about to run again, and a chat's limit
-- about to be charged: they are left for the next time.
WITH ended AS MATERIALIZED (
  SELECT l.id
  FROM limits AS l
  JOIN campaigns AS c ON c.id = CASE WHEN l.id LIKE 'campaign/%' THEN substr(l.id, 10)::uuid END
  WHERE c.finished_at < now() - interval '1 minute'
    AND c.total = c.sent + c.failed + c.skipped + c.uncertain + c.cancelled
    -- The queue job of a message that was settled late is dispatched once more, to end:
    -- without its limit it never would be. Each of these is one look at an index.
    AND NOT EXISTS (
      SELECT
      FROM pgboss.job AS q
      WHERE q.name = 'send-message'
        AND q.group_id = l.id
        AND q.state = 'active'
    )
    AND NOT EXISTS (
      SELECT
      FROM pgboss.job AS q
      WHERE q.name = 'send-message'
        AND q.group_id = l.id
        AND q.state < 'active'
        AND NOT q.blocked
    )
  FOR NO KEY UPDATE OF c SKIP LOCKED
),
idle AS MATERIALIZED (
  SELECT l.id
  FROM limits AS l
  WHERE l.id LIKE 'chat/%'
    AND l.granted_on < now() - interval '1 hour'
    AND l.step <= interval '1 second'
    AND l.held_until < now()
    AND l.tat < now()
  FOR UPDATE SKIP LOCKED
)
DELETE FROM limits AS l
WHERE l.id IN (
  SELECT id
  FROM ended
  UNION ALL
  SELECT id
  FROM idle
)
