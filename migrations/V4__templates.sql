-- Templates keep every version: a campaign pins the one it started with.

CREATE TABLE templates (
  id         uuid PRIMARY KEY,
  name       text NOT NULL UNIQUE,
  version    integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE template_versions (
  template_id uuid NOT NULL REFERENCES templates (id) ON DELETE CASCADE,
  version     integer NOT NULL,
  text        text NOT NULL,
  parse_mode  text NOT NULL CHECK (parse_mode IN ('NONE', 'HTML', 'MARKDOWN_V2')),
  -- {"kind": "PHOTO" | "VIDEO" | "DOCUMENT", "source": "<URL or file_id>"}
  media       jsonb,
  -- {"buttons": [[{"text", "url"}]], "linkPreview": {"disabled", "url", …}, "disableNotification",
  -- "protectContent", "messageThreadId"}
  options     jsonb NOT NULL DEFAULT '{}',
  created_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (template_id, version)
);

-- File ids that Telegram gave a bot for media it fetched from a URL: later messages
-- name the file instead, and Telegram fetches it once.
CREATE TABLE media_files (
  bot_id  uuid NOT NULL REFERENCES bots (id) ON DELETE CASCADE,
  kind    text NOT NULL CHECK (kind IN ('PHOTO', 'VIDEO', 'DOCUMENT')),
  url     text NOT NULL CHECK (length(url) <= 2000),
  file_id text NOT NULL,
  PRIMARY KEY (bot_id, kind, url)
);

ALTER TABLE templates ENABLE ROW LEVEL SECURITY;
ALTER TABLE template_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE media_files ENABLE ROW LEVEL SECURITY;
