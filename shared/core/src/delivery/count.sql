-- Counts what a batch settled into its campaigns ($1 ids; $2 to $6 how many became
-- SENT, FAILED, SKIPPED, UNCERTAIN, CANCELLED; fewer than none came back), and completes those of which
-- nothing is left. Answers the completed ones.
WITH counted AS (
  SELECT
    c.id,
    c.sent + told.sent AS sent,
    c.failed + told.failed AS failed,
    c.skipped + told.skipped AS skipped,
    c.uncertain + told.uncertain AS uncertain,
    c.cancelled + told.cancelled AS cancelled,
    c.status IN ('RUNNING', 'PAUSED')
      AND c.total = c.sent + c.failed + c.skipped + c.uncertain + c.cancelled
        + told.sent + told.failed + told.skipped + told.uncertain + told.cancelled AS completed,
    -- What is accepted while it is paused was under way before, and shows nothing.
    told.sent > 0 AND c.status = 'RUNNING' AS flows
  FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::integer[], $5::integer[], $6::integer[])
    AS told (id, sent, failed, skipped, uncertain, cancelled)
  JOIN campaigns AS c ON c.id = told.id
),
updated AS (
  UPDATE campaigns AS c
  SET
    sent = counted.sent,
    failed = counted.failed,
    skipped = counted.skipped,
    uncertain = counted.uncertain,
    cancelled = counted.cancelled,
    flood_streak = CASE WHEN counted.flows THEN 0 ELSE c.flood_streak END,
    status = CASE WHEN counted.completed THEN 'COMPLETED' ELSE c.status END,
    pause_reason = CASE WHEN counted.completed THEN NULL ELSE c.pause_reason END,
    resumes_at = CASE WHEN counted.completed THEN NULL ELSE c.resumes_at END,
    finished_at = CASE WHEN counted.completed THEN now() ELSE c.finished_at END,
    updated_at = now()
  FROM counted
  WHERE c.id = counted.id
),
-- The campaign's row is locked already: nobody else counts its minute at the same time.
by_minute AS (
  INSERT INTO campaign_minutes AS m (campaign_id, minute, sent)
  SELECT told.id, date_trunc('minute', now()), told.sent
  FROM unnest($1::uuid[], $2::integer[]) AS told (id, sent)
  WHERE told.sent > 0
  ON CONFLICT (campaign_id, minute) DO UPDATE SET sent = m.sent + excluded.sent
)
SELECT id
FROM counted
WHERE completed
