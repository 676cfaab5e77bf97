-- Counts what was planned for a campaign ($1) and sets it going; a campaign that
-- was paused meanwhile stays paused.
UPDATE campaigns AS c
SET
  planned_at = now(),
  total = planned.total,
  skipped = planned.skipped,
  status = CASE
    WHEN planned.total = planned.skipped THEN 'FAILED'
    WHEN c.status = 'QUEUED' THEN 'RUNNING'
    ELSE c.status
  END,
  pause_reason = CASE WHEN planned.total = planned.skipped THEN NULL ELSE c.pause_reason END,
  failure = CASE WHEN planned.total = planned.skipped THEN 'no channel of the batch can be written to any more' END,
  finished_at = CASE WHEN planned.total = planned.skipped THEN now() END,
  updated_at = now()
FROM (
  SELECT
    count(*)::integer AS total,
    (count(*) FILTER (WHERE status = 'SKIPPED'))::integer AS skipped
  FROM jobs
  WHERE campaign_id = $1
) AS planned
WHERE c.id = $1
RETURNING
  c.status,
  c.total
