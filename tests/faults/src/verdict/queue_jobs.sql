-- Queue jobs that nobody accounts for: open ones after the end, and messages without a
-- message job. pg-boss's own queues bear two underscores.
SELECT q.name || ' ' || q.id AS job, q.state::text AS state
FROM pgboss.job AS q
LEFT JOIN jobs AS m ON m.id = q.id
WHERE (q.state < 'completed' AND q.name NOT LIKE '\_\_%')
   OR (q.name = 'send-message' AND m.id IS NULL)
