-- Creates the jobs of a flow, of one or many queues, with what waits for what. All or
-- none: a job that is refused divides by zero.
--   $1 the jobs, each with its queue   $2 the edges
WITH target AS (
  SELECT q.*
  FROM {schema}.queue AS q
  WHERE q.name IN (SELECT w ->> 'name' FROM jsonb_array_elements($1) AS w)
),
wanted AS (
  SELECT w.*
  FROM jsonb_to_recordset($1) AS w (
    id uuid, name text, data jsonb, priority int, start_after text,
    singleton_key text, singleton_seconds int, group_id text, group_tier text,
    expire int, deletion int, retention int, retry_limit int, retry_delay int, retry_backoff bool, retry_delay_max int,
    dead_letter text, heartbeat int, parents int, blocking bool
  )
),
inserted AS (
  INSERT INTO {schema}.job (
    id, name, data, priority, start_after, created_on, keep_until, policy,
    singleton_key, singleton_on, group_id, group_tier,
    expire_seconds, deletion_seconds, retry_limit, retry_delay, retry_backoff, retry_delay_max,
    dead_letter, heartbeat_seconds, blocked, blocking, pending_dependencies
  )
  SELECT
    w.id, q.name, w.data, w.priority, due.start_after, now(), due.start_after + interval '1s' * coalesce(w.retention, q.retention_seconds), q.policy,
    w.singleton_key, 'epoch'::timestamp + interval '1s' * (w.singleton_seconds::float8 * floor(extract(epoch FROM now()) / w.singleton_seconds::float8)), w.group_id, w.group_tier,
    coalesce(w.expire, q.expire_seconds), coalesce(w.deletion, q.deletion_seconds), coalesce(w.retry_limit, q.retry_limit), coalesce(w.retry_delay, q.retry_delay), coalesce(w.retry_backoff, q.retry_backoff), coalesce(w.retry_delay_max, q.retry_delay_max),
    coalesce(w.dead_letter, q.dead_letter), coalesce(w.heartbeat, q.heartbeat_seconds), w.parents > 0, w.blocking, w.parents
  FROM wanted AS w
  JOIN target AS q ON q.name = w.name
  CROSS JOIN LATERAL (
    SELECT
      CASE
        WHEN w.start_after IS NULL THEN now()
        WHEN right(w.start_after, 1) = 'Z' OR w.start_after ~ '^\d{4}-\d{2}-\d{2}' THEN w.start_after::timestamptz
        ELSE now() + w.start_after::interval
      END AS start_after
  ) AS due
  ON CONFLICT DO NOTHING
  RETURNING id, name, start_after, blocked
),
edges AS (
  INSERT INTO {schema}.job_dependency (child_name, child_id, parent_name, parent_id)
  SELECT e.child_name, e.child_id, e.parent_name, e.parent_id
  FROM jsonb_to_recordset($2) AS e (child_name text, child_id uuid, parent_name text, parent_id uuid)
  ON CONFLICT DO NOTHING
),
notified AS (
  SELECT pg_notify('pgboss_' || left(encode(sha224('{schema}'), 'hex'), 24), q.name)
  FROM target AS q
  WHERE q.notify
    AND q.name IN (SELECT i.name FROM inserted AS i WHERE NOT i.blocked AND i.start_after <= now())
)
SELECT
  1 / (CASE WHEN (SELECT count(*) FROM inserted) = jsonb_array_length($1) THEN 1 ELSE 0 END) AS complete,
  (SELECT count(*) FROM notified) AS notified
