INSERT INTO pgboss.job (name, data, policy) VALUES ('q', '{"to": "ada@example.com", "n": 1}', 'standard');
