-- Counts what the check $1 found: $2 active, $3 inactive, $4 unclear; tells whether that was all.
UPDATE channel_checks
SET
  active = active + $2,
  inactive = inactive + $3,
  unclear = unclear + $4,
  finished_at = CASE WHEN active + inactive + unclear + $2 + $3 + $4 = total THEN now() END
WHERE id = $1
RETURNING finished_at IS NOT NULL AS is_finished
