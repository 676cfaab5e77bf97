SELECT
      j.id,
      j.priority,
      j.created_on,
      CASE WHEN j.policy IN ('singleton', 'stately') THEN coalesce(j.singleton_key, '') END AS unique_key,
      j.group_id,
      CASE
        WHEN $6 IS NOT NULL AND j.group_id IS NOT NULL
        THEN coalesce(($7 ->> j.group_tier)::int, $6) - (SELECT count(*) FROM {schema}.job AS a WHERE a.name = $1 AND a.state = 'active' AND a.group_id = j.group_id)
      END AS group_limit
    FROM {schema}.job AS j
    WHERE j.name = $1
      AND j.state < 'active'
      AND NOT j.blocked
      AND ($3 OR j.start_after <= now())
      AND ($4 IS NULL OR j.priority >= $4)
      AND ($5 IS NULL OR j.priority <= $5)
      AND ($8 IS NULL OR j.group_id IS NULL OR j.group_id <> ALL ($8))
      AND ($6 IS NULL OR j.group_id IS NULL OR (SELECT count(*) FROM {schema}.job AS a WHERE a.name = $1 AND a.state = 'active' AND a.group_id = j.group_id) < coalesce(($7 ->> j.group_tier)::int, $6))
      -- A live look, by the index that enforces the policy.
      AND NOT (j.policy = 'singleton' AND EXISTS (SELECT FROM {schema}.job AS a WHERE a.name = $1 AND a.state = 'active' AND a.policy = 'singleton' AND coalesce(a.singleton_key, '') = coalesce(j.singleton_key, '')))
      AND NOT (j.policy = 'stately' AND EXISTS (SELECT FROM {schema}.job AS a WHERE a.name = $1 AND a.state = 'active' AND a.policy = 'stately' AND coalesce(a.singleton_key, '') = coalesce(j.singleton_key, '')))