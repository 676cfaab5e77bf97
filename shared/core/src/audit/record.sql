INSERT INTO audit_logs (id, user_id, actor, action, subject_type, subject_id, details, ip)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
