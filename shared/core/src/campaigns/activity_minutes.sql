-- The last $2 minutes in which messages of the campaign $1 were accepted, newest first.
SELECT minute, sent, now() AS now
FROM campaign_minutes
WHERE campaign_id = $1
ORDER BY minute DESC
LIMIT $2
