-- Campaigns, and their message jobs: one message of one campaign to one channel.

CREATE TABLE campaigns (
  id               uuid PRIMARY KEY,
  name             text NOT NULL,
  batch_id         uuid NOT NULL REFERENCES batches (id),
  template_id      uuid NOT NULL REFERENCES templates (id),
  -- Pinned at start; null while the campaign is a draft.
  template_version integer,
  bot_id           uuid NOT NULL REFERENCES bots (id),
  params           jsonb NOT NULL DEFAULT '{}',
  status           text NOT NULL DEFAULT 'DRAFT' CHECK (status IN
                     ('DRAFT', 'QUEUED', 'RUNNING', 'PAUSED', 'COMPLETED', 'CANCELLED', 'FAILED', 'MISSED')),
  pause_reason     text CHECK (pause_reason IN
                     ('OPERATOR', 'FLOOD_WAIT', 'TOO_MANY_FLOODS', 'MESSAGE_REJECTED', 'BOT_REJECTED')),
  -- When a flood wait ends by itself.
  resumes_at       timestamptz,
  failure          text,
  -- Messages per minute.
  delivery_rate    integer NOT NULL CHECK (delivery_rate BETWEEN 1 AND 60000),
  retry_limit      integer NOT NULL DEFAULT 3 CHECK (retry_limit BETWEEN 0 AND 20),
  on_uncertain     text NOT NULL DEFAULT 'SKIP' CHECK (on_uncertain IN ('SKIP', 'RESEND')),
  -- A start waits until then; null: it begins at once.
  scheduled_at     timestamptz,
  -- A campaign that has not begun by then is MISSED.
  not_after        timestamptz,
  -- No message leaves from quiet_from until quiet_to, each day in this time zone.
  quiet_from       time,
  quiet_to         time,
  quiet_zone       text,
  -- A campaign that recurs never runs itself: each occurrence is a campaign of its own,
  -- whose `recurs_as` it is.
  cron             text,
  cron_zone        text,
  recurs_as        uuid REFERENCES campaigns (id),
  mode             text NOT NULL DEFAULT 'LIVE' CHECK (mode IN ('LIVE', 'TEST', 'DRY_RUN')),
  -- The operator's own chat, which gets all messages of a test.
  test_chat_id     bigint,
  -- Set once the message jobs exist; a campaign may be paused before.
  planned_at       timestamptz,
  -- Counts the plans: no two plans of a campaign share a slot (slots of plan n end in n microseconds).
  plan             integer NOT NULL DEFAULT 0,
  -- Counters of message jobs, kept in the transaction that settles them.
  total            integer NOT NULL DEFAULT 0,
  sent             integer NOT NULL DEFAULT 0,
  failed           integer NOT NULL DEFAULT 0,
  skipped          integer NOT NULL DEFAULT 0,
  uncertain        integer NOT NULL DEFAULT 0,
  cancelled        integer NOT NULL DEFAULT 0,
  -- Flood waits since the last accepted message; three stop the campaign.
  flood_streak     integer NOT NULL DEFAULT 0,
  flood_count      integer NOT NULL DEFAULT 0,
  created_by       uuid REFERENCES users (id),
  created_at       timestamptz NOT NULL DEFAULT now(),
  updated_at       timestamptz NOT NULL DEFAULT now(),
  started_at       timestamptz,
  finished_at      timestamptz,
  CHECK ((mode = 'TEST') = (test_chat_id IS NOT NULL)),
  CHECK ((status = 'PAUSED') = (pause_reason IS NOT NULL)),
  CHECK (sent + failed + skipped + uncertain + cancelled <= total),
  CHECK (scheduled_at <= not_after),
  CHECK (num_nulls(quiet_from, quiet_to, quiet_zone) IN (0, 3)),
  CHECK (quiet_from <> quiet_to),
  CHECK (num_nulls(cron, cron_zone) IN (0, 2)),
  CHECK (cron IS NULL OR num_nonnulls(recurs_as, scheduled_at, not_after) = 0),
  FOREIGN KEY (template_id, template_version) REFERENCES template_versions (template_id, version)
) WITH (fillfactor = 70);
CREATE INDEX campaigns_bot_idx ON campaigns (bot_id) WHERE status IN ('RUNNING', 'PAUSED');
CREATE INDEX campaigns_quiet_idx ON campaigns (id) WHERE status = 'RUNNING' AND quiet_from IS NOT NULL;
CREATE INDEX campaigns_recurs_idx ON campaigns (recurs_as) WHERE recurs_as IS NOT NULL;
CREATE INDEX campaigns_resume_idx ON campaigns (resumes_at) WHERE resumes_at IS NOT NULL;

CREATE TABLE jobs (
  -- Also the id of the queue job, so that planning twice changes nothing.
  id               uuid PRIMARY KEY,
  campaign_id      uuid NOT NULL REFERENCES campaigns (id),
  channel_id       uuid NOT NULL REFERENCES channels (id),
  position         integer NOT NULL,
  -- The recipient as it was at start: later edits of the channel touch later campaigns only.
  -- {"chat": "@name" | <id>, "username", "title", "category"}
  recipient        jsonb NOT NULL,
  status           text NOT NULL DEFAULT 'PENDING' CHECK (status IN
                     ('PENDING', 'SENDING', 'SENT', 'FAILED', 'SKIPPED', 'UNCERTAIN', 'CANCELLED')),
  -- The planned start; the queue job's start_after is this with jitter, or a retry's time.
  slot             timestamptz NOT NULL,
  -- Attempts that were charged: a flood wait is not.
  attempts         integer NOT NULL DEFAULT 0,
  -- The fence of the attempt that holds the message job: the queue job's
  -- retry_count and started_on. Set with SENDING.
  fence_retry_count integer,
  fence_started_on  timestamptz,
  -- An attempt may have reached Telegram, and nobody knows: whatever becomes of those after
  -- it, the message job never ends as one that was not sent.
  doubtful         boolean NOT NULL DEFAULT false,
  message_id       bigint,
  error_class      text,
  error            text,
  finished_at      timestamptz,
  UNIQUE (campaign_id, channel_id)
) WITH (fillfactor = 80);
-- What an operator looks for: few rows of many.
CREATE INDEX jobs_trouble_idx ON jobs (campaign_id, status, position) WHERE status IN ('FAILED', 'UNCERTAIN', 'SKIPPED');
-- Counted by class while somebody looks, without a look at the rows.
CREATE INDEX jobs_errors_idx ON jobs (campaign_id, status, error_class, position) WHERE status IN ('FAILED', 'UNCERTAIN', 'SKIPPED');

-- Messages that Telegram accepted, by minute: what a chart and the rate now are drawn
-- from, however many message jobs there are.
CREATE TABLE campaign_minutes (
  campaign_id uuid NOT NULL REFERENCES campaigns (id) ON DELETE CASCADE,
  minute      timestamptz NOT NULL,
  sent        integer NOT NULL,
  PRIMARY KEY (campaign_id, minute)
) WITH (fillfactor = 50);

ALTER TABLE campaign_minutes ENABLE ROW LEVEL SECURITY;
ALTER TABLE campaigns ENABLE ROW LEVEL SECURITY;
ALTER TABLE jobs ENABLE ROW LEVEL SECURITY;

-- The plan of a campaign is a grid of slots, one each step. The step is half a
-- percent above 60 s / rate: so much earlier or later may messages reach Telegram
-- than they left here, and no window of a minute holds more than the rate.
CREATE FUNCTION plan_step(delivery_rate integer) RETURNS interval
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT interval '60.3 seconds' / delivery_rate $$;

-- A slot at this time. Slots lie on whole milliseconds, plus the number of the plan in
-- microseconds: two plans of a campaign never share one.
CREATE FUNCTION plan_slot(at timestamptz, plan integer) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT date_trunc('milliseconds', at) + (plan % 1000) * interval '1 microsecond' $$;

-- Up to a fifth of the step to either side, so that messages do not come like
-- clockwork. It repeats with the minute: whatever the jitter, messages that are
-- `delivery_rate` places apart are a full minute apart.
CREATE FUNCTION plan_jitter(campaign_id uuid, delivery_rate integer, place bigint) RETURNS interval
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT ((hashtext(campaign_id::text || (place % delivery_rate)::text) & 1023) / 1023.0 - 0.5)::float8
    * 0.4 * plan_step(delivery_rate)
$$;

-- When the quiet hours end that lie at this time; null outside of them.
CREATE FUNCTION quiet_until(at timestamptz, quiet_from time, quiet_to time, quiet_zone text) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT CASE
    WHEN quiet_from < quiet_to AND wall >= quiet_from AND wall < quiet_to THEN (today + quiet_to) AT TIME ZONE quiet_zone
    WHEN quiet_from > quiet_to AND wall >= quiet_from THEN (today + 1 + quiet_to) AT TIME ZONE quiet_zone
    WHEN quiet_from > quiet_to AND wall < quiet_to THEN (today + quiet_to) AT TIME ZONE quiet_zone
  END
  FROM (
    SELECT
      (at AT TIME ZONE quiet_zone)::date AS today,
      (at AT TIME ZONE quiet_zone)::time AS wall
  ) AS clock
$$;

-- The times outside of quiet hours, from `origin` on, that hold `total` in all: how long
-- each is, and how much went before. One without an end where there are no quiet hours.
-- Days are counted on the wall's clock and lengths in true time, so that a change to
-- summer time neither loses nor doubles a slot.
CREATE FUNCTION awake_times(origin timestamptz, total interval, quiet_from time, quiet_to time, quiet_zone text)
RETURNS TABLE (begins timestamptz, length interval, before interval)
LANGUAGE sql STABLE
AS $$
  SELECT
    origin,
    NULL::interval,
    interval '0'
  WHERE quiet_from IS NULL
  UNION ALL
  SELECT
    begins,
    ends - begins,
    coalesce(sum(ends - begins) OVER (ORDER BY begins ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), interval '0')
  FROM (
    SELECT
      greatest(origin, (day + quiet_to) AT TIME ZONE quiet_zone) AS begins,
      (day + quiet_from + CASE WHEN quiet_from < quiet_to THEN interval '1 day' ELSE interval '0' END) AT TIME ZONE quiet_zone AS ends
    FROM generate_series(
      date_trunc('day', origin AT TIME ZONE quiet_zone) - interval '1 day',
      date_trunc('day', origin AT TIME ZONE quiet_zone) + interval '1 day' * (3 + ceil(
        extract(epoch FROM total) / (86400 - mod(extract(epoch FROM quiet_to - quiet_from) + 86400, 86400))
      )::float8),
      interval '1 day'
    ) AS day
    WHERE quiet_from IS NOT NULL
  ) AS days
  WHERE ends > begins
$$;

-- The grid: as many slots as there are places, from now on, none in quiet hours.
CREATE FUNCTION plan_slots(places bigint, plan integer, delivery_rate integer, quiet_from time, quiet_to time, quiet_zone text)
RETURNS TABLE (place bigint, slot timestamptz)
LANGUAGE sql STABLE
AS $$
  SELECT
    place,
    plan_slot(awake.begins + (place * plan_step(delivery_rate) - awake.before), plan)
  FROM awake_times(now(), places * plan_step(delivery_rate), quiet_from, quiet_to, quiet_zone) AS awake
  CROSS JOIN LATERAL generate_series(
    ceil(extract(epoch FROM awake.before) / extract(epoch FROM plan_step(delivery_rate)))::bigint,
    least(
      places,
      ceil(extract(epoch FROM awake.before + awake.length) / extract(epoch FROM plan_step(delivery_rate)))::bigint
    ) - 1
  ) AS place
$$;

-- When a queue job of this slot may start: with its jitter, unless that leads into quiet hours.
CREATE FUNCTION plan_start(slot timestamptz, jitter interval, quiet_from time, quiet_to time, quiet_zone text) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT CASE
    WHEN quiet_from IS NULL OR quiet_until(slot + jitter, quiet_from, quiet_to, quiet_zone) IS NULL THEN slot + jitter
    ELSE slot
  END
$$;
