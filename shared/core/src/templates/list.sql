SELECT
  t.id, t.name, t.version, v.text, v.parse_mode, v.media, v.options, t.created_at, t.updated_at
FROM templates t
JOIN template_versions v ON v.template_id = t.id AND v.version = t.version
WHERE $1::uuid IS NULL OR t.id < $1
ORDER BY t.id DESC
LIMIT $2
