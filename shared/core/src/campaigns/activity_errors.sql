-- Errors of the campaign $1 by class, counted in jobs_errors_idx alone; of each class an
-- example, which jobs_trouble_idx finds by its position.
SELECT
  classes.status,
  coalesce(classes.error_class, '') AS error_class,
  classes.count,
  (
    SELECT jobs.error
    FROM jobs
    WHERE jobs.campaign_id = $1
      AND jobs.status IN ('FAILED', 'UNCERTAIN', 'SKIPPED')
      AND jobs.status = classes.status
      AND jobs.position = classes.last
    LIMIT 1
  ) AS example
FROM (
  SELECT status, error_class, count(*) AS count, max(position) AS last
  FROM jobs
  WHERE campaign_id = $1
    AND status IN ('FAILED', 'UNCERTAIN', 'SKIPPED')
  GROUP BY status, error_class
  ORDER BY count DESC, error_class
  LIMIT 20
) AS classes
ORDER BY classes.count DESC, error_class
