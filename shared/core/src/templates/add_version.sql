INSERT INTO template_versions (template_id, version, text, parse_mode, media, options)
VALUES ($1, $2, $3, $4, $5, $6)
