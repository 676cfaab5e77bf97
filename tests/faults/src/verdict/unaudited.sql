-- Changes of a campaign's status whose transaction wrote no audit row of the campaign.
SELECT c.name || ': ' || change.status_before || ' to ' || change.status AS change
FROM faults.changes AS change
JOIN campaigns AS c ON c.id = change.campaign_id
WHERE NOT EXISTS (
  SELECT
  FROM audit_logs AS a
  WHERE a.subject_type = 'campaign'
    AND a.subject_id = change.campaign_id::text
    -- The upper half of an xid8 counts the times that the lower one was used up.
    AND a.xmin = change.transaction::xid
)
