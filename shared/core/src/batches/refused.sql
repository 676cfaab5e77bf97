-- The first channel that may not be put in: it is unknown, or has opted out.
SELECT wanted.id, c.id IS NOT NULL AS known
FROM unnest($1::uuid[]) WITH ORDINALITY AS wanted (id, ord)
LEFT JOIN channels c ON c.id = wanted.id
WHERE c.id IS NULL OR c.opted_out_at IS NOT NULL
ORDER BY wanted.ord
LIMIT 1
