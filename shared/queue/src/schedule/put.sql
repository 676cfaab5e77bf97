-- Creates or replaces a schedule. `kind` is left to its default, cron: the column
-- came with version 41.
--   $1 queue  $2 key  $3 expression  $4 time zone  $5 data  $6 options
INSERT INTO {schema}.schedule (name, key, cron, timezone, data, options)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (name, key) DO UPDATE
SET
  cron = excluded.cron,
  timezone = excluded.timezone,
  data = excluded.data,
  options = excluded.options,
  updated_on = now()
