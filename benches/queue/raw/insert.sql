INSERT INTO pgboss.job (name, data, policy)
SELECT 'q', data, 'standard'
FROM unnest(array_fill('{"to": "ada@example.com", "n": 1}'::jsonb, ARRAY[:batch])) AS data;
