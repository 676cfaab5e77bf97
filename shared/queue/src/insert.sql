-- Inserts many jobs; the arrays are columns, a null one is all nulls. Rows as in
-- send.sql: one for each job inserted, or one with a null id where none was.
--   $1 queue             $2 ids            $3 data           $4 priorities
--   $5 start after, as text                $6 singleton keys $7 singleton seconds
--   $8 fixed slots       $9 group ids      $10 group tiers   $11 expire
--   $12 delete after     $13 retention     $14 retry limits  $15 retry delays
--   $16 backoffs         $17 retry delay max                 $18 dead letters
--   $19 heartbeats       $20 answer with the ids            $21 a key is missing
WITH target AS (
  SELECT q.*
  FROM {schema}.queue AS q
  WHERE q.name = $1
),
inserted AS (
  INSERT INTO {schema}.job (
    id, name, data, priority, start_after, created_on, keep_until, policy,
    singleton_key, singleton_on, group_id, group_tier,
    expire_seconds, deletion_seconds, retry_limit, retry_delay, retry_backoff, retry_delay_max,
    dead_letter, heartbeat_seconds
  )
  SELECT
    coalesce(n.id, gen_random_uuid()), t.name, n.data, coalesce(n.priority, 0), due.start_after, now(), due.start_after + interval '1s' * coalesce(n.retention, t.retention_seconds), t.policy,
    n.singleton_key, coalesce(n.slot, 'epoch'::timestamp + interval '1s' * (n.singleton_seconds::float8 * floor(extract(epoch FROM now()) / n.singleton_seconds::float8))), n.group_id, n.group_tier,
    coalesce(n.expire, t.expire_seconds), coalesce(n.deletion, t.deletion_seconds), coalesce(n.retry_limit, t.retry_limit), coalesce(n.retry_delay, t.retry_delay), coalesce(n.retry_backoff, t.retry_backoff), coalesce(n.retry_delay_max, t.retry_delay_max),
    coalesce(n.dead_letter, t.dead_letter), coalesce(n.heartbeat, t.heartbeat_seconds)
  FROM target AS t
  CROSS JOIN unnest(
    $2::uuid[], $3::jsonb[], $4::int[], $5::text[], $6::text[], $7::int[], $8::timestamp[], $9::text[], $10::text[],
    $11::int[], $12::int[], $13::int[], $14::int[], $15::int[], $16::bool[], $17::int[], $18::text[], $19::int[]
  ) AS n (
    id, data, priority, start_after, singleton_key, singleton_seconds, slot, group_id, group_tier,
    expire, deletion, retention, retry_limit, retry_delay, retry_backoff, retry_delay_max, dead_letter, heartbeat
  )
  CROSS JOIN LATERAL (
    SELECT
      CASE
        WHEN n.start_after IS NULL THEN now()
        WHEN right(n.start_after, 1) = 'Z' OR n.start_after ~ '^\d{4}-\d{2}-\d{2}' THEN n.start_after::timestamptz
        ELSE now() + n.start_after::interval
      END AS start_after
  ) AS due
  -- All or none: the caller hears that a key is missing.
  WHERE NOT (t.policy = 'key_strict_fifo' AND $21)
  ON CONFLICT DO NOTHING
  RETURNING id, start_after
),
notified AS (
  SELECT pg_notify('pgboss_' || left(encode(sha224('{schema}'), 'hex'), 24), t.name)
  FROM target AS t, inserted AS i
  WHERE t.notify AND i.start_after <= now()
  LIMIT 1
)
SELECT
  t.policy,
  (SELECT count(*) FROM inserted) AS inserted,
  CASE WHEN $20 THEN ARRAY(SELECT i.id FROM inserted AS i) END AS ids,
  (SELECT count(*) FROM notified) AS notified
FROM target AS t
