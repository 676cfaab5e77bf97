INSERT INTO bots (id, name, token_sealed, telegram_id, username, rate_per_second)
VALUES ($1, $2, $3, $4, $5, $6)
