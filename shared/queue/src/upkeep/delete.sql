-- Deletes jobs long done, and jobs that waited too long; and what waited for whom.
--   $1 queues  $2 now, or null for the database's clock
WITH deleted AS (
  DELETE FROM {schema}.job AS j
  WHERE j.name = ANY ($1)
    AND (
      (j.deletion_seconds > 0 AND j.completed_on + interval '1s' * j.deletion_seconds < coalesce($2, now()))
      OR (j.state < 'active' AND j.keep_until < coalesce($2, now()))
    )
  RETURNING j.name, j.id
),
edges AS (
  DELETE FROM {schema}.job_dependency AS d
  WHERE EXISTS (
    SELECT
    FROM deleted AS x
    WHERE (x.name = d.child_name AND x.id = d.child_id)
       OR (x.name = d.parent_name AND x.id = d.parent_id)
  )
)
SELECT count(*) AS deleted
FROM deleted
