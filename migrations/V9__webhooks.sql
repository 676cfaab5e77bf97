-- Addresses of programs that want to hear what becomes of campaigns.
CREATE TABLE webhooks (
  id            uuid PRIMARY KEY,
  name          text NOT NULL UNIQUE,
  url           text NOT NULL,
  -- The events it hears, such as campaign.completed.
  events        text[] NOT NULL CHECK (cardinality(events) > 0),
  active        boolean NOT NULL DEFAULT true,
  -- 24 bytes of nonce, then the ciphertext (XChaCha20-Poly1305, bound to the id).
  secret_sealed bytea NOT NULL,
  created_by    uuid REFERENCES users (id),
  created_at    timestamptz NOT NULL DEFAULT now(),
  updated_at    timestamptz NOT NULL DEFAULT now()
);

ALTER TABLE webhooks ENABLE ROW LEVEL SECURITY;

-- Nine tries: after 10 s, 20 s and so on, up to half an hour apart.
SELECT pgboss.create_queue('send-webhook', '{
  "policy": "standard",
  "retryLimit": 8,
  "retryDelay": 10,
  "retryBackoff": true,
  "retryDelayMax": 1800,
  "expireInSeconds": 60,
  "notify": true
}');
