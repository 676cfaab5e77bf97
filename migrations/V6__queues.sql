-- Limits, and the queues of the two handlers.

-- A rate rule: one job each `step`, after idle time or a late start up to
-- `tolerance` ahead of that. GCRA: `tat` is the time at which the next job would
-- come if jobs came exactly at the rate; one is granted when
-- tat - tolerance <= now and held_until <= now, and moves tat on by one step.
CREATE TABLE limits (
  id         text PRIMARY KEY,
  -- Charged together with this one; shared fairly between its children.
  parent_id  text REFERENCES limits (id) ON DELETE CASCADE,
  step       interval NOT NULL CHECK (step > interval '0'),
  tolerance  interval NOT NULL DEFAULT interval '0' CHECK (tolerance >= interval '0'),
  tat        timestamptz NOT NULL DEFAULT 'epoch',
  held_until timestamptz NOT NULL DEFAULT '-infinity',
  -- The last grant: of two children that wait, the one served longest ago goes first.
  granted_on timestamptz NOT NULL DEFAULT 'epoch'
) WITH (fillfactor = 50);
CREATE INDEX limits_parent_idx ON limits (parent_id) WHERE parent_id IS NOT NULL;

ALTER TABLE limits ENABLE ROW LEVEL SECURITY;

SELECT pgboss.create_queue('start-campaign', '{
  "policy": "standard",
  "retryLimit": 5,
  "retryDelay": 1,
  "retryBackoff": true,
  "expireInSeconds": 120,
  "notify": true
}');

-- A partition of its own: its backlog slows no other queue, and carries an index of its own.
-- Expiry is the lease of one attempt. A message job counts its own attempts; the
-- retries here are for handlers that died, and run out only when handlers keep dying.
SELECT pgboss.create_queue('send-message', '{
  "policy": "standard",
  "partition": true,
  "retryLimit": 10,
  "retryDelay": 1,
  "expireInSeconds": 60,
  "retentionSeconds": 31536000,
  "notify": true
}');

-- Dispatch reads each limit group's due jobs in the order of their slots.
DO $$
BEGIN
  EXECUTE format(
    'CREATE INDEX IF NOT EXISTS send_message_dispatch_idx ON pgboss.%I (group_id, start_after) '
    'WHERE state < ''active'' AND NOT blocked',
    (SELECT table_name FROM pgboss.queue WHERE name = 'send-message')
  );
END
$$;
