-- Jobs of a queue; one row with a null id where none matches.
--   $1 queue  $2 id  $3 singleton key  $4 contained data  $5 only those not yet active
WITH target AS (
  SELECT q.name
  FROM {schema}.queue AS q
  WHERE q.name = $1
),
found AS (
  SELECT {columns}
  FROM {schema}.job AS j
  WHERE j.name = $1
    AND ($2 IS NULL OR j.id = $2)
    AND ($3 IS NULL OR j.singleton_key = $3)
    AND ($4 IS NULL OR j.data @> $4)
    AND (NOT $5 OR j.state < 'active')
)
SELECT f.*
FROM target
LEFT JOIN found AS f ON true
