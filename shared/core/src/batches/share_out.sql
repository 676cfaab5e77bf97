-- $4 percent of the channels of $1 to the batch $2, rounded, and the rest to $3; which goes
-- where is drawn at random.
INSERT INTO batch_channels (batch_id, channel_id)
SELECT CASE WHEN place <= round(total * $4::int4 / 100.0) THEN $2 ELSE $3 END, channel_id
FROM (
  SELECT
    channel_id,
    row_number() OVER (ORDER BY random()) AS place,
    count(*) OVER () AS total
  FROM batch_channels
  WHERE batch_id = $1
) AS drawn
