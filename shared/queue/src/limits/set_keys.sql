-- Makes or changes the limits of keys: $1 ids, $2 step, $3 tolerance. Holds stay.
INSERT INTO public.limits AS l (id, step, tolerance)
SELECT
  key,
  $2,
  $3
FROM unnest($1::text[]) AS key
-- In one order, so that two of these cannot wait for each other.
GROUP BY key
ORDER BY key
ON CONFLICT (id) DO UPDATE
SET
  step = excluded.step,
  tolerance = excluded.tolerance,
  tat = least(l.tat, clock_timestamp() + excluded.step)
WHERE (l.step, l.tolerance) IS DISTINCT FROM (excluded.step, excluded.tolerance)
