-- One queue job for each channel of the check $1 (its limit group $2): those of the ids $3,
-- and, where $4, those that match a filter ($5 category, $6 active, $7 pattern, $8 batch).
-- Who opted out is not asked after.
INSERT INTO pgboss.job (
  id,
  name,
  data,
  retry_limit,
  retry_delay,
  retry_backoff,
  retry_delay_max,
  expire_seconds,
  deletion_seconds,
  keep_until,
  policy,
  dead_letter,
  heartbeat_seconds,
  group_id,
  start_after,
  created_on
)
SELECT
  uuid_v7(),
  q.name,
  jsonb_build_object('checkId', $1, 'channelId', ch.id),
  q.retry_limit,
  q.retry_delay,
  q.retry_backoff,
  q.retry_delay_max,
  q.expire_seconds,
  q.deletion_seconds,
  now() + q.retention_seconds * interval '1 second',
  q.policy,
  q.dead_letter,
  q.heartbeat_seconds,
  $2,
  now(),
  now()
FROM channels AS ch
JOIN pgboss.queue AS q ON q.name = 'check-channels'
WHERE ch.opted_out_at IS NULL
  AND (
    ch.id = ANY ($3)
    OR (
      $4::boolean
      AND ($5::text IS NULL OR ch.category = $5)
      AND ($6::boolean IS NULL OR ch.active = $6)
      AND ($7::text IS NULL OR ch.username ILIKE $7 OR ch.title ILIKE $7 COLLATE "und-x-icu")
      AND ($8::uuid IS NULL OR ch.id IN (SELECT channel_id FROM batch_channels WHERE batch_id = $8))
    )
  )
