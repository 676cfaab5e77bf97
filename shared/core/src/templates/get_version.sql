SELECT template_id, version, text, parse_mode, media, options, created_at
FROM template_versions
WHERE template_id = $1 AND version = $2
