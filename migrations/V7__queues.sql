-- The queues of the two handlers.

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

DO $$
DECLARE
  partition_name text := (SELECT table_name FROM pgboss.queue WHERE name = 'send-message');
BEGIN
  -- Dispatch reads each limit group's due jobs in the order of their start.
  EXECUTE format(
    'CREATE INDEX IF NOT EXISTS send_message_dispatch_idx ON pgboss.%I (group_id, start_after) '
    'WHERE state < ''active'' AND NOT blocked',
    partition_name
  );
  -- Upkeep looks for queue jobs that ran out of retries under a message job that still waits.
  EXECUTE format(
    'CREATE INDEX IF NOT EXISTS send_message_failed_idx ON pgboss.%I (completed_on) '
    'WHERE state = ''failed''',
    partition_name
  );
END
$$;
