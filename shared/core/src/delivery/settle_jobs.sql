-- Settles message jobs, each under the fence of its attempt ($1 ids, $2 retry
-- counts, $3 start times): $4 the new status, $5 attempts charged, $6 message id,
-- $7 error class, $8 error, $9 the chat's new id, where it moved. Answers the rows that
-- were still this attempt's, and what became of them: one that an earlier attempt may have
-- sent is no less uncertain for a later one that failed.
UPDATE jobs AS m
SET
  status = CASE
    WHEN settled.status IN ('FAILED', 'SKIPPED', 'CANCELLED') AND m.doubtful THEN 'UNCERTAIN'
    ELSE settled.status
  END,
  doubtful = m.doubtful OR coalesce(settled.error_class = 'UNCERTAIN', false),
  attempts = m.attempts + settled.charged,
  message_id = settled.message_id,
  error_class = settled.error_class,
  error = settled.error,
  recipient = CASE
    WHEN settled.moved_to IS NULL THEN m.recipient
    ELSE jsonb_set(m.recipient, '{chat}', to_jsonb(settled.moved_to))
  END,
  finished_at = CASE WHEN settled.status = 'PENDING' THEN NULL ELSE now() END,
  -- What goes back is this attempt's no more: settling it again must not charge it again.
  fence_retry_count = CASE WHEN settled.status = 'PENDING' THEN NULL ELSE m.fence_retry_count END,
  fence_started_on = CASE WHEN settled.status = 'PENDING' THEN NULL ELSE m.fence_started_on END
FROM unnest(
  $1::uuid[], $2::integer[], $3::timestamptz[], $4::text[], $5::integer[], $6::bigint[], $7::text[], $8::text[],
  $9::bigint[]
) AS settled (id, retry_count, started_on, status, charged, message_id, error_class, error, moved_to)
WHERE m.id = settled.id
  AND m.fence_retry_count = settled.retry_count
  AND m.fence_started_on = settled.started_on
  AND m.status IN ('PENDING', 'SENDING')
RETURNING m.id, m.status
