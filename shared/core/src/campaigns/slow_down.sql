-- Halves the rates of a bot ($1) that was told to wait $2 seconds; they grow again after
-- that. While such a wait lasts, further ones tell of the same flood.
UPDATE bots
SET
  ramp = greatest(1, coalesce(ramp, 100) / 2),
  ramp_every = coalesce(ramp_every, interval '15 seconds'),
  ramp_on = now() + $2 * interval '1 second' + coalesce(ramp_every, interval '15 seconds')
WHERE id = $1
  AND (ramp_on IS NULL OR ramp_on - ramp_every <= now())
