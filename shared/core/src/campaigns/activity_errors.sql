-- Errors of the campaign $1 by class. jobs_trouble_idx holds these message jobs alone.
SELECT
  status,
  coalesce(error_class, '') AS error_class,
  count(*) AS count,
  min(error) AS example
FROM jobs
WHERE campaign_id = $1
  AND status IN ('FAILED', 'UNCERTAIN', 'SKIPPED')
GROUP BY status, error_class
ORDER BY count DESC, error_class
LIMIT 20
