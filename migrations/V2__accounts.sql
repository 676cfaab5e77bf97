-- Who may do what, and who did what.
--
-- Row level security is enabled on every table, with no policy: an automatic
-- API in front of the database (Supabase) shows nothing. Telecast connects as
-- the owner, whom row level security does not bind.

-- Time-ordered ids (RFC 9562, version 7) for set-based inserts; single rows get
-- theirs from the program. 48 bits of Unix milliseconds, then random bits.
CREATE FUNCTION uuid_v7() RETURNS uuid
LANGUAGE sql VOLATILE PARALLEL SAFE
AS $$
  SELECT encode(
    set_bit(
      set_bit(
        overlay(
          uuid_send(gen_random_uuid())
          PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
          FROM 1 FOR 6
        ),
        52, 1
      ),
      53, 1
    ),
    'hex'
  )::uuid
$$;

CREATE TABLE users (
  id            uuid PRIMARY KEY,
  username      text NOT NULL,
  password_hash text NOT NULL,
  role          text NOT NULL CHECK (role IN ('ADMIN', 'OPERATOR', 'AUDITOR')),
  disabled_at   timestamptz,
  created_at    timestamptz NOT NULL DEFAULT now(),
  updated_at    timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX users_username_key ON users (lower(username));

-- A login: lives on by its refresh token, ends by logout. An access token names its
-- session, so that a deleted session or a disabled user is cut off at once.
CREATE TABLE sessions (
  id           uuid PRIMARY KEY,
  user_id      uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  -- SHA-256 of the refresh token: 32 random bytes need no slow hash.
  refresh_hash bytea NOT NULL,
  expires_at   timestamptz NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX sessions_refresh_hash_key ON sessions (refresh_hash);
CREATE INDEX sessions_user_idx ON sessions (user_id);

-- Tokens for programs: what a role may do, without a login, for a limited time.
CREATE TABLE service_tokens (
  id         uuid PRIMARY KEY,
  name       text NOT NULL UNIQUE,
  -- SHA-256 of the token: 32 random bytes need no slow hash.
  token_hash bytea NOT NULL UNIQUE,
  role       text NOT NULL CHECK (role IN ('ADMIN', 'OPERATOR', 'AUDITOR')),
  expires_at timestamptz NOT NULL,
  created_by uuid REFERENCES users (id),
  created_at timestamptz NOT NULL DEFAULT now()
);

-- Login back-off: attempts that did not (yet) succeed, by user name and by address.
CREATE TABLE login_failures (
  -- 'user:<name in lower case>' or 'ip:<address>'
  key           text PRIMARY KEY,
  failures      integer NOT NULL,
  last_at       timestamptz NOT NULL,
  blocked_until timestamptz NOT NULL
);
CREATE INDEX login_failures_last_at_idx ON login_failures (last_at);

-- Requests of each token: its theoretical arrival time (GCRA). What is lost in a crash is
-- a moment's count, so nothing is written ahead.
CREATE UNLOGGED TABLE request_rates (
  -- 'session:<id>' or 'service:<hash>'
  key text PRIMARY KEY,
  tat timestamptz NOT NULL
);
CREATE INDEX request_rates_tat_idx ON request_rates (tat);

CREATE TABLE audit_logs (
  id           uuid PRIMARY KEY,
  occurred_at  timestamptz NOT NULL DEFAULT now(),
  -- Null for what the system does by itself; the name stays when a user goes.
  user_id      uuid,
  actor        text NOT NULL,
  action       text NOT NULL,
  subject_type text NOT NULL,
  subject_id   text NOT NULL,
  details      jsonb NOT NULL DEFAULT '{}',
  ip           text
);
CREATE INDEX audit_logs_subject_idx ON audit_logs (subject_type, subject_id, id);

ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE service_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE login_failures ENABLE ROW LEVEL SECURITY;
ALTER TABLE request_rates ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_logs ENABLE ROW LEVEL SECURITY;
