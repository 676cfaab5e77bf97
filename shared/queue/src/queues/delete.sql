--   $1 name
SELECT {schema}.delete_queue($1)
