-- Bots, the channels they administer, and named batches of channels.

CREATE TABLE bots (
  id               uuid PRIMARY KEY,
  name             text NOT NULL UNIQUE,
  -- XChaCha20-Poly1305: 24 bytes of nonce, then the sealed token.
  token_sealed     bytea NOT NULL,
  telegram_id      bigint,
  username         text,
  rate_per_second  integer NOT NULL DEFAULT 25 CHECK (rate_per_second BETWEEN 1 AND 1000),
  -- At most so many messages in a day (UTC); null: any number.
  messages_per_day integer CHECK (messages_per_day BETWEEN 1 AND 100000000),
  -- After a flood wait, or while it is warmed up, a bot and its campaigns go at so many
  -- percent of their rates; null: all. Ten more at ramp_on, and then each ramp_every.
  ramp             integer CHECK (ramp BETWEEN 1 AND 99),
  ramp_on          timestamptz,
  ramp_every       interval,
  stopped_at       timestamptz,
  stop_reason      text,
  created_at       timestamptz NOT NULL DEFAULT now(),
  updated_at       timestamptz NOT NULL DEFAULT now(),
  CHECK (num_nulls(ramp, ramp_on, ramp_every) IN (0, 3))
);
CREATE INDEX bots_ramp_idx ON bots (ramp_on) WHERE ramp_on IS NOT NULL;

CREATE TABLE channels (
  id              uuid PRIMARY KEY,
  -- Without the leading @. A private channel has only a chat id.
  username        text,
  chat_id         bigint,
  -- As Telegram told; null until it did. Groups take fewer messages than channels.
  kind            text CHECK (kind IN ('PRIVATE', 'GROUP', 'SUPERGROUP', 'CHANNEL')),
  title           text,
  category        text,
  tgstat_url      text,
  collected_at    timestamptz,
  metadata        jsonb NOT NULL DEFAULT '{}',
  active          boolean NOT NULL DEFAULT true,
  inactive_reason text,
  -- Failed messages in a row; 5 make the channel inactive, a success sets 0.
  error_count     integer NOT NULL DEFAULT 0,
  -- The owner asked not to be written to: a hard gate, whatever `active` says.
  opted_out_at    timestamptz,
  created_at      timestamptz NOT NULL DEFAULT now(),
  updated_at      timestamptz NOT NULL DEFAULT now(),
  CHECK (username IS NOT NULL OR chat_id IS NOT NULL)
);
CREATE UNIQUE INDEX channels_username_key ON channels (lower(username)) WHERE username IS NOT NULL;
CREATE UNIQUE INDEX channels_chat_id_key ON channels (chat_id) WHERE chat_id IS NOT NULL;
CREATE INDEX channels_category_idx ON channels (category, id);

CREATE TABLE batches (
  id          uuid PRIMARY KEY,
  name        text NOT NULL UNIQUE,
  description text NOT NULL DEFAULT '',
  created_at  timestamptz NOT NULL DEFAULT now(),
  updated_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE batch_channels (
  batch_id   uuid NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
  channel_id uuid NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
  PRIMARY KEY (batch_id, channel_id)
);

ALTER TABLE bots ENABLE ROW LEVEL SECURITY;
ALTER TABLE channels ENABLE ROW LEVEL SECURITY;
ALTER TABLE batches ENABLE ROW LEVEL SECURITY;
ALTER TABLE batch_channels ENABLE ROW LEVEL SECURITY;
