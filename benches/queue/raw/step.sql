-- Fetch and complete, as two statements.
WITH next AS (
  SELECT id
  FROM pgboss.job
  WHERE name = 'q'
    AND state < 'active'
    AND NOT blocked
    AND start_after <= now()
  ORDER BY priority DESC, created_on
  LIMIT :batch
  FOR UPDATE SKIP LOCKED
),
taken AS (
  UPDATE pgboss.job AS j
  SET state = 'active', started_on = now()
  FROM next
  WHERE j.name = 'q'
    AND j.id = next.id
  RETURNING j.id, j.data
)
SELECT array_agg(id) AS ids, count(data) AS jobs
FROM taken
\gset
UPDATE pgboss.job
SET state = 'completed', completed_on = now()
WHERE name = 'q'
  AND id = ANY (:ids::uuid[]);
