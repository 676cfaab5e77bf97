-- A page of a queue's jobs; the primary key gives their order.
--   $1 queue  $2 state  $3 below this id  $4 how many
SELECT {columns}
FROM {schema}.job AS j
WHERE j.name = $1
  AND ($2 IS NULL OR j.state::text = $2)
  AND ($3 IS NULL OR j.id < $3)
ORDER BY j.id DESC
LIMIT $4
