SELECT id, occurred_at, user_id, actor, action, subject_type, subject_id, details, ip
FROM audit_logs
WHERE ($1::text IS NULL OR action = $1)
  AND ($2::text IS NULL OR subject_type = $2)
  AND ($3::text IS NULL OR subject_id = $3)
  AND ($4::uuid IS NULL OR user_id = $4)
  AND ($5::timestamptz IS NULL OR occurred_at >= $5)
  AND ($6::timestamptz IS NULL OR occurred_at < $6)
  AND ($7::uuid IS NULL OR id < $7)
ORDER BY id DESC
LIMIT $8
