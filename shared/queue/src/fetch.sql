-- Sets the next due jobs of a queue active, by priority and then age: the quick way,
-- for queues whose policy limits no active jobs, and without other conditions. One
-- row for each job; one with a null id where nothing is due; none where there is no
-- such queue.
--   $1 queue  $2 at most so many
--
-- pg-boss's index has the order, but walks past every deferred job. So only its
-- first entries are looked at; where these were not enough, the answer says that it
-- was `deep`, and fetch_deep.sql goes on. There are eight times as many as are wanted,
-- because other workers hold some; no more are read than it takes.
WITH target AS (
  SELECT q.policy
  FROM {schema}.queue AS q
  WHERE q.name = $1
),
{fetch}
SELECT
  a.*,
  target.policy AS queue_policy,
  looked.deep
FROM target
CROSS JOIN looked
LEFT JOIN answer AS a ON true
ORDER BY a.priority DESC, a.created_on
