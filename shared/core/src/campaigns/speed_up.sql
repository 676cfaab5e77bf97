-- Gives the bots whose time has come a tenth more of their rates; at all of them they
-- are like any other.
UPDATE bots
SET
  ramp = CASE WHEN ramp < 90 THEN ramp + 10 END,
  ramp_on = CASE WHEN ramp < 90 THEN now() + ramp_every END,
  ramp_every = CASE WHEN ramp < 90 THEN ramp_every END
WHERE ramp_on <= now()
RETURNING id
