-- When the messages at the places $3 go: the first at $1, each $2 seconds after the one
-- before, none in the quiet hours $4 to $5 of the time zone $6.
WITH asked AS (
  SELECT place, place * interval '1 second' * $2::float8 AS after
  FROM unnest($3::bigint[]) AS place
)
SELECT awake.begins + (asked.after - awake.before) AS at
FROM asked
JOIN awake_times(
  $1,
  (SELECT max(after) FROM asked) + interval '1 second' * $2::float8,
  $4::time,
  $5::time,
  $6::text
) AS awake
  ON asked.after >= awake.before
  AND (awake.length IS NULL OR asked.after < awake.before + awake.length)
ORDER BY asked.place
