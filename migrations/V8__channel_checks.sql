-- Checks of channels: whether the bot may still write to each.
CREATE TABLE channel_checks (
  id          uuid PRIMARY KEY,
  bot_id      uuid NOT NULL REFERENCES bots (id),
  -- Counters, kept in the transaction that completes the queue jobs.
  total       integer NOT NULL,
  active      integer NOT NULL DEFAULT 0,
  inactive    integer NOT NULL DEFAULT 0,
  -- Telegram gave no clear answer: the channel stays as it was.
  unclear     integer NOT NULL DEFAULT 0,
  created_by  uuid REFERENCES users (id),
  created_at  timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  CHECK (active + inactive + unclear <= total)
) WITH (fillfactor = 50);

ALTER TABLE channel_checks ENABLE ROW LEVEL SECURITY;

-- One queue job a channel. The retries are for what is transient and for handlers that died.
SELECT pgboss.create_queue('check-channels', '{
  "policy": "standard",
  "partition": true,
  "retryLimit": 5,
  "retryDelay": 5,
  "retryBackoff": true,
  "expireInSeconds": 60,
  "notify": true
}');

-- As for send-message: dispatch reads each check's jobs in the order of their start.
DO $$
BEGIN
  EXECUTE format(
    'CREATE INDEX IF NOT EXISTS check_channels_dispatch_idx ON pgboss.%I (group_id, start_after) '
    'WHERE state < ''active'' AND NOT blocked',
    (SELECT table_name FROM pgboss.queue WHERE name = 'check-channels')
  );
END
$$;
