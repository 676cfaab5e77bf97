INSERT INTO channels (id, username, chat_id, title, category, tgstat_url, collected_at, metadata)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
