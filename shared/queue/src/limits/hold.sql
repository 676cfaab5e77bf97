-- Holds a limit ($1) for $2 from now; a longer hold stays. Answers until when, and
-- whether it was held before.
WITH before AS MATERIALIZED (
  SELECT held_until > clock_timestamp() AS was_held
  FROM public.limits
  WHERE id = $1
  FOR NO KEY UPDATE
)
INSERT INTO public.limits AS l (id, step, held_until)
SELECT
  $1,
  interval '1 second',
  clock_timestamp() + $2
-- Reads all of `before` first: read after the update, it would find nothing.
FROM (SELECT count(*) FROM before) AS locked
ON CONFLICT (id) DO UPDATE
SET held_until = greatest(l.held_until, excluded.held_until)
RETURNING
  CASE WHEN l.held_until < 'infinity' THEN l.held_until END AS held_until,
  coalesce((SELECT was_held FROM before), false) AS was_held
