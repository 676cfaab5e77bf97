-- Makes or changes a limit: $1 id, $2 queue, $3 parent, $4 step, $5 tolerance. What
-- was granted at a slower rate does not delay the first job at a faster one by more
-- than a step. Holds stay.
INSERT INTO public.limits AS l (id, queue, parent_id, step, tolerance)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (id) DO UPDATE
SET
  queue = excluded.queue,
  parent_id = excluded.parent_id,
  step = excluded.step,
  tolerance = excluded.tolerance,
  tat = least(l.tat, clock_timestamp() + excluded.step)
WHERE (l.queue, l.parent_id, l.step, l.tolerance)
  IS DISTINCT FROM (excluded.queue, excluded.parent_id, excluded.step, excluded.tolerance)
