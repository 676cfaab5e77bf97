-- Holds the limits of campaigns whose quiet hours began, until they end. A longer hold stays.
UPDATE limits AS l
SET held_until = quiet.until
FROM (
  SELECT
    'campaign/' || c.id AS limit_id,
    quiet_until(now() + interval '2 seconds', c.quiet_from, c.quiet_to, c.quiet_zone) AS until
  FROM campaigns AS c
  WHERE c.status = 'RUNNING'
    AND c.quiet_from IS NOT NULL
) AS quiet
WHERE l.id = quiet.limit_id
  AND l.held_until < quiet.until
