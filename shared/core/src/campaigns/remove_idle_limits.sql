-- Limits that nobody will charge again: of campaigns that ended, and of chats that
-- were not written to for an hour. Those of groups say more than the default, and stay.
DELETE FROM limits AS l
WHERE
  (
    l.id LIKE 'campaign/%'
    AND EXISTS (
      SELECT
      FROM campaigns AS c
      WHERE 'campaign/' || c.id = l.id
        AND c.finished_at < now() - interval '1 minute'
        AND c.total = c.sent + c.failed + c.skipped + c.uncertain + c.cancelled
    )
  )
  OR (
    l.id LIKE 'chat/%'
    AND l.granted_on < now() - interval '1 hour'
    AND l.step <= interval '1 second'
    AND l.held_until < now()
    AND l.tat < now()
  )
