-- What the judge wants to know of the past, written by triggers in the transactions of
-- the deeds themselves. Nothing of Telecast knows of it.
CREATE SCHEMA faults;

-- Every dispatch of a message job.
CREATE TABLE faults.dispatches (
  job_id uuid NOT NULL,
  at     timestamptz NOT NULL
);
CREATE FUNCTION faults.dispatched() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO faults.dispatches (job_id, at) VALUES (new.id, new.started_on);
  RETURN NULL;
END $$;
CREATE TRIGGER faults_dispatched AFTER UPDATE OF state ON pgboss.job
FOR EACH ROW
WHEN (new.name = 'send-message' AND new.state = 'active' AND old.state <> 'active')
EXECUTE FUNCTION faults.dispatched();

-- Every moment from which on a message may be sent once more: its attempt ended without
-- anybody knowing what Telegram did, or another attempt took over while it was SENDING.
CREATE TABLE faults.doubts (
  job_id uuid NOT NULL,
  at     timestamptz NOT NULL
);
CREATE FUNCTION faults.doubted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO faults.doubts (job_id, at) VALUES (new.id, clock_timestamp());
  RETURN NULL;
END $$;
CREATE TRIGGER faults_doubted AFTER UPDATE OF status, fence_started_on ON public.jobs
FOR EACH ROW
WHEN (
  old.status = 'SENDING'
  AND (
    new.status = 'UNCERTAIN'
    OR (new.status = 'PENDING' AND new.error_class = 'UNCERTAIN')
    OR (new.status = 'SENDING' AND new.fence_started_on <> old.fence_started_on)
  )
)
EXECUTE FUNCTION faults.doubted();

-- Every change of a campaign's status, and its transaction, which must hold an audit row.
CREATE TABLE faults.changes (
  campaign_id   uuid NOT NULL,
  status_before text NOT NULL,
  status        text NOT NULL,
  at            timestamptz NOT NULL DEFAULT clock_timestamp(),
  transaction   xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE FUNCTION faults.changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO faults.changes (campaign_id, status_before, status) VALUES (new.id, old.status, new.status);
  RETURN NULL;
END $$;
CREATE TRIGGER faults_changed AFTER UPDATE OF status ON public.campaigns
FOR EACH ROW
WHEN (new.status <> old.status)
EXECUTE FUNCTION faults.changed();

-- Every hold of a bot, when it was written: a stalled connection may bring it late.
CREATE TABLE faults.holds (
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE FUNCTION faults.held() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO faults.holds DEFAULT VALUES;
  RETURN NULL;
END $$;
CREATE TRIGGER faults_held AFTER UPDATE OF held_until ON public.limits
FOR EACH ROW
WHEN (new.id LIKE 'bot/%' AND new.held_until > old.held_until)
EXECUTE FUNCTION faults.held();
