-- A bot that is warmed up ($8) begins at a tenth of its rates, and gets a tenth more each day.
INSERT INTO bots (
  id,
  name,
  token_sealed,
  telegram_id,
  username,
  rate_per_second,
  messages_per_day,
  ramp,
  ramp_on,
  ramp_every
)
VALUES (
  $1,
  $2,
  $3,
  $4,
  $5,
  $6,
  $7,
  CASE WHEN $8 THEN 10 END,
  CASE WHEN $8 THEN now() + interval '1 day' END,
  CASE WHEN $8 THEN interval '1 day' END
)
