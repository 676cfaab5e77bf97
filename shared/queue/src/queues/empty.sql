-- Deletes the jobs of a queue, or of all where the name is null; an active job only
-- where all go.
--   $1 name  $2 those not yet active  $3 those done
WITH deleted AS (
  DELETE FROM {schema}.job AS j
  WHERE ($1 IS NULL OR j.name = $1)
    AND (
      $2 AND $3
      OR $2 AND j.state < 'active'
      OR $3 AND j.state > 'active'
    )
  RETURNING j.id
)
SELECT count(*) AS deleted
FROM deleted
