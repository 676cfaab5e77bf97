-- Keeps a warning where pg-boss's dashboard shows it.
--   $1 type  $2 message  $3 data
INSERT INTO {schema}.warning (type, message, data)
VALUES ($1, $2, $3)
