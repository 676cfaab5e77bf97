-- What redrive.sql would do with all that match, by where it would go; what has no
-- such queue has no name.
--   $1 to $6 as there
SELECT q.name, count(*) AS jobs
FROM {schema}.job AS j
LEFT JOIN {schema}.queue AS q ON q.name = coalesce($2, j.source_name)
WHERE j.name = $1
  AND j.state < 'active'
  AND ($3 IS NULL OR j.source_name = $3)
  AND ($4 IS NULL OR j.data @> $4)
  AND ($5 IS NULL OR j.created_on < $5)
  AND ($6 IS NULL OR j.id = ANY ($6))
GROUP BY q.name
ORDER BY jobs DESC, q.name
