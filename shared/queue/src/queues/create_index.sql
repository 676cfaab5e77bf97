-- The index that fetch.sql needs, for a queue with a table of its own.
--   $1 name
SELECT {schema}.job_table_run(
  'CREATE INDEX IF NOT EXISTS %1$s_due ON {schema}.job (name, priority DESC, start_after) WHERE state < ''active'' AND NOT blocked',
  q.table_name
)
FROM {schema}.queue AS q
WHERE q.name = $1
  AND q.partition
