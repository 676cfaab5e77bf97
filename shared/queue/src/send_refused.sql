-- Why a job was not inserted; no row where there is no such queue.
--   $1 queue  $2 id  $3 singleton seconds  $4 took the next slot
SELECT
  q.policy,
  EXISTS (SELECT FROM {schema}.job AS j WHERE j.name = $1 AND j.id = $2) AS exists,
  to_timestamp($3::float8 * (floor(extract(epoch FROM now()) / $3::float8) + CASE WHEN $4 THEN 2 ELSE 1 END)) AS until
FROM {schema}.queue AS q
WHERE q.name = $1
