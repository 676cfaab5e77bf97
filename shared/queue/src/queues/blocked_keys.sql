-- The keys of a key_strict_fifo queue that a failed job holds back; one row with a
-- null key where there is none.
--   $1 name
SELECT q.policy, b.singleton_key
FROM {schema}.queue AS q
LEFT JOIN (
  SELECT DISTINCT j.name, j.singleton_key
  FROM {schema}.job AS j
  WHERE j.name = $1
    AND j.state = 'failed'
    AND j.policy = 'key_strict_fifo'
) AS b ON b.name = q.name
WHERE q.name = $1
ORDER BY b.singleton_key
