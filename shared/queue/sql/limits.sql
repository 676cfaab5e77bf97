-- Limits: rate rules that queue jobs are charged to when they are dispatched.
--
-- Each is a GCRA: one job each `step`; `tat` is when the next job would come if
-- jobs came exactly at the rate. A job is granted when tat - tolerance <= now and
-- held_until <= now, and moves tat on by one step, from now at the earliest: idle
-- time earns what `tolerance` allows and no more.
--
-- Three levels, one table:
--   a queue's limit names its queue; it is shared fairly among its groups;
--   a group's limit bears the `group_id` of its queue jobs, and names its parent;
--   a key's limit bears the `group_tier` of single queue jobs.
-- A queue may have many limits, each with its own groups.
CREATE TABLE limits (
  id         text PRIMARY KEY,
  queue      text,
  parent_id  text REFERENCES limits (id),
  step       interval NOT NULL CHECK (step > interval '0'),
  tolerance  interval NOT NULL DEFAULT interval '0' CHECK (tolerance >= interval '0'),
  tat        timestamptz NOT NULL DEFAULT 'epoch',
  -- Grants nothing until then; 'infinity' until somebody releases it.
  held_until timestamptz NOT NULL DEFAULT '-infinity',
  -- The last grant: of two groups that wait, the one served longest ago goes first.
  granted_on timestamptz NOT NULL DEFAULT 'epoch',
  -- At most so many jobs in a day (UTC); null: any number.
  daily      integer CHECK (daily > 0),
  -- Jobs granted on `day`, the day of the last grant.
  day        date NOT NULL DEFAULT 'epoch',
  day_jobs   integer NOT NULL DEFAULT 0,
  CHECK (queue IS NULL OR parent_id IS NULL)
) WITH (fillfactor = 50);

-- Dispatch goes from a queue to its limits to their groups. No charge changes an
-- indexed column, so that every charge is a heap-only update.
CREATE INDEX limits_queue_idx ON limits (queue) WHERE queue IS NOT NULL;
CREATE INDEX limits_parent_idx ON limits (parent_id) WHERE parent_id IS NOT NULL;

ALTER TABLE limits ENABLE ROW LEVEL SECURITY;
