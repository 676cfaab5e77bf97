-- Counts a flood wait into the campaign that met it ($1). Answers whether these are
-- too many: three in a row, or (from three on) on a tenth of its messages.
UPDATE campaigns
SET
  flood_streak = flood_streak + 1,
  flood_count = flood_count + 1
WHERE id = $1
RETURNING flood_streak >= 3 OR (flood_count >= 3 AND flood_count * 10 >= total) AS too_many
