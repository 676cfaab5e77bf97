-- The queue's tables: pg-boss's schema, version 42, in schema `pgboss`.
--
-- A pg-boss 12 client starts on it with `migrate: false`, and its detectSchemaDrift()
-- finds nothing. To use another schema name, replace the word `pgboss` everywhere.
--
-- Nothing happens where the schema exists at a version this queue works on (37 to 46);
-- a schema that exists is never migrated: that is pg-boss's own business.
DO $migration$
DECLARE
  found int;
  day   date;
BEGIN
  -- Two at once: the second waits, and then finds the schema there.
  PERFORM pg_advisory_xact_lock(hashtext('pgboss'));

  IF to_regclass('pgboss.version') IS NOT NULL THEN
    SELECT version INTO found FROM pgboss.version;
    IF found IS NULL OR found < 37 THEN
      RAISE EXCEPTION 'schema pgboss is at pg-boss version %, and this queue needs 37 or later', coalesce(found::text, 'unknown')
        USING HINT = 'Start pg-boss 12.26 or later on it once (it upgrades its own schema), then try again.';
    ELSIF found > 46 THEN
      RAISE WARNING 'schema pgboss is at pg-boss version %; this queue is tested up to 46', found;
    END IF;
    RETURN;
  END IF;

  CREATE SCHEMA IF NOT EXISTS pgboss;

  -- The order matters: a state is compared with < and <=.
  CREATE TYPE pgboss.job_state AS ENUM ('created', 'retry', 'active', 'completed', 'cancelled', 'failed');

  CREATE FUNCTION pgboss.job_now() RETURNS timestamptz LANGUAGE sql STABLE AS $function$
    SELECT pg_catalog.now();
  $function$;

  -- One row. Each `_on` is the last run of a background pass, by which many
  -- instances agree on one of them running it.
  CREATE TABLE pgboss.version (
    version            int PRIMARY KEY,
    cron_on            timestamptz,
    bam_on             timestamptz,
    flow_on            timestamptz,
    reindex_on         timestamptz,
    monitor_backoff_on timestamptz
  );

  CREATE TABLE pgboss.queue (
    name              text NOT NULL,
    policy            text NOT NULL,
    retry_limit       int NOT NULL,
    retry_delay       int NOT NULL,
    retry_backoff     bool NOT NULL,
    retry_delay_max   int,
    expire_seconds    int NOT NULL,
    retention_seconds int NOT NULL,
    deletion_seconds  int NOT NULL,
    dead_letter       text REFERENCES pgboss.queue (name) CHECK (dead_letter IS DISTINCT FROM name),
    partition         bool NOT NULL,
    table_name        text NOT NULL,
    deferred_count    int NOT NULL DEFAULT 0,
    queued_count      int NOT NULL DEFAULT 0,
    ready_count       int NOT NULL DEFAULT 0,
    warning_queued    int NOT NULL DEFAULT 0,
    active_count      int NOT NULL DEFAULT 0,
    failed_count      int NOT NULL DEFAULT 0,
    total_count       int NOT NULL DEFAULT 0,
    ready_history     int[] NOT NULL DEFAULT '{}',
    heartbeat_seconds int,
    notify            bool NOT NULL DEFAULT false,
    singletons_active text[],
    monitor_claim_on  timestamptz,
    monitor_on        timestamptz,
    maintain_on       timestamptz,
    created_on        timestamptz NOT NULL DEFAULT now(),
    updated_on        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name)
  );

  CREATE TABLE pgboss.schedule (
    name        text REFERENCES pgboss.queue ON DELETE CASCADE,
    key         text NOT NULL DEFAULT '',
    kind        text NOT NULL DEFAULT 'cron' CHECK (kind IN ('cron', 'rrule')),
    cron        text NOT NULL,
    timezone    text DEFAULT 'UTC',
    data        jsonb,
    options     jsonb,
    created_on  timestamptz NOT NULL DEFAULT now(),
    updated_on  timestamptz NOT NULL DEFAULT now(),
    last_job_id uuid,
    PRIMARY KEY (name, key)
  );

  CREATE TABLE pgboss.subscription (
    event      text NOT NULL,
    name       text NOT NULL REFERENCES pgboss.queue ON DELETE CASCADE,
    created_on timestamptz NOT NULL DEFAULT now(),
    updated_on timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (event, name)
  );

  -- Index builds that a pg-boss upgrade leaves for the background.
  CREATE TABLE pgboss.bam (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name         text NOT NULL,
    version      int NOT NULL,
    status       text NOT NULL DEFAULT 'pending',
    queue        text,
    table_name   text NOT NULL,
    command      text NOT NULL,
    error        text,
    created_on   timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_on   timestamptz,
    completed_on timestamptz
  );

  -- Rewrites a command on `job` and `job_iN` for one partition's table.
  CREATE FUNCTION pgboss.job_table_format(command text, table_name text) RETURNS text LANGUAGE sql IMMUTABLE AS $function$
    SELECT format(
      regexp_replace(
        regexp_replace(command, '\.job\y', '.%1$I', 'g'),
        '\yjob_i(\d+)', '%1$s_i\1', 'g'
      ),
      table_name
    );
  $function$;

  CREATE FUNCTION pgboss.job_table_run(command text, tbl_name text DEFAULT NULL, queue_name text DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS $function$
    DECLARE
      tbl RECORD;
    BEGIN
      IF queue_name IS NOT NULL THEN
        SELECT table_name INTO tbl_name FROM pgboss.queue WHERE name = queue_name;
      END IF;

      IF tbl_name IS NOT NULL THEN
        EXECUTE pgboss.job_table_format(command, tbl_name);
        RETURN;
      END IF;

      EXECUTE pgboss.job_table_format(command, 'job_common');

      FOR tbl IN SELECT table_name FROM pgboss.queue WHERE partition = true
      LOOP
        EXECUTE pgboss.job_table_format(command, tbl.table_name);
      END LOOP;
    END;
  $function$;

  CREATE FUNCTION pgboss.job_table_run_async(command_name text, version int, command text, tbl_name text DEFAULT NULL, queue_name text DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS $function$
    BEGIN
      IF queue_name IS NOT NULL THEN
        SELECT table_name INTO tbl_name FROM pgboss.queue WHERE name = queue_name;
      END IF;

      IF tbl_name IS NOT NULL THEN
        INSERT INTO pgboss.bam (name, version, status, queue, table_name, command)
        VALUES (
          command_name,
          version,
          'pending',
          queue_name,
          tbl_name,
          pgboss.job_table_format(command, tbl_name)
        );
        RETURN;
      END IF;

      INSERT INTO pgboss.bam (name, version, status, queue, table_name, command)
      SELECT
        command_name,
        version,
        'pending',
        NULL,
        'job_common',
        pgboss.job_table_format(command, 'job_common')
      UNION ALL
      SELECT
        command_name,
        version,
        'pending',
        queue.name,
        queue.table_name,
        pgboss.job_table_format(command, queue.table_name)
      FROM pgboss.queue
      WHERE partition = true;
    END;
  $function$;

  -- `blocked` waits for `pending_dependencies` jobs; `blocking` has jobs waiting for
  -- it; `source_*` say where a job in a dead letter queue came from.
  CREATE TABLE pgboss.job (
    id                   uuid NOT NULL DEFAULT gen_random_uuid(),
    name                 text NOT NULL,
    priority             int NOT NULL DEFAULT 0,
    data                 jsonb,
    state                pgboss.job_state NOT NULL DEFAULT 'created',
    retry_limit          int NOT NULL DEFAULT 2,
    retry_count          int NOT NULL DEFAULT 0,
    retry_delay          int NOT NULL DEFAULT 0,
    retry_backoff        bool NOT NULL DEFAULT false,
    retry_delay_max      int,
    expire_seconds       int NOT NULL DEFAULT 900,
    deletion_seconds     int NOT NULL DEFAULT 604800,
    singleton_key        text,
    singleton_on         timestamp,
    group_id             text,
    group_tier           text,
    start_after          timestamptz NOT NULL DEFAULT now(),
    created_on           timestamptz NOT NULL DEFAULT now(),
    started_on           timestamptz,
    completed_on         timestamptz,
    keep_until           timestamptz NOT NULL DEFAULT now() + interval '1209600',
    output               jsonb,
    dead_letter          text,
    policy               text,
    heartbeat_on         timestamptz,
    heartbeat_seconds    int,
    blocked              bool NOT NULL DEFAULT false,
    blocking             bool NOT NULL DEFAULT false,
    pending_dependencies int NOT NULL DEFAULT 0,
    source_name          text,
    source_id            uuid,
    source_created_on    timestamptz,
    source_retry_count   int,
    PRIMARY KEY (name, id)
  ) PARTITION BY LIST (name);

  -- The jobs of every queue that has no partition of its own.
  CREATE TABLE pgboss.job_common (
    LIKE pgboss.job INCLUDING DEFAULTS,
    PRIMARY KEY (name, id),
    CONSTRAINT q_fkey FOREIGN KEY (name) REFERENCES pgboss.queue (name) ON DELETE RESTRICT DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT dlq_fkey FOREIGN KEY (dead_letter) REFERENCES pgboss.queue (name) ON DELETE RESTRICT DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT job_key_strict_fifo_singleton_key_check CHECK (NOT (policy = 'key_strict_fifo' AND singleton_key IS NULL))
  );

  -- One index enforces each policy, one (i4) the throttle of singletonSeconds.
  CREATE UNIQUE INDEX job_common_i1 ON pgboss.job_common (name, coalesce(singleton_key, '')) WHERE state = 'created' AND policy = 'short';
  CREATE UNIQUE INDEX job_common_i2 ON pgboss.job_common (name, coalesce(singleton_key, '')) WHERE state = 'active' AND policy = 'singleton';
  CREATE UNIQUE INDEX job_common_i3 ON pgboss.job_common (name, state, coalesce(singleton_key, '')) WHERE state <= 'active' AND policy = 'stately';
  CREATE UNIQUE INDEX job_common_i4 ON pgboss.job_common (name, singleton_on, coalesce(singleton_key, '')) WHERE state <> 'cancelled' AND singleton_on IS NOT NULL;
  CREATE UNIQUE INDEX job_common_i6 ON pgboss.job_common (name, coalesce(singleton_key, '')) WHERE state <= 'active' AND policy = 'exclusive';
  CREATE INDEX job_common_i7 ON pgboss.job_common (name, group_id) WHERE state = 'active' AND group_id IS NOT NULL;
  CREATE UNIQUE INDEX job_common_i8 ON pgboss.job_common (name, singleton_key) WHERE state IN ('active', 'retry', 'failed') AND policy = 'key_strict_fifo';
  CREATE INDEX job_common_i9 ON pgboss.job_common (name, id) WHERE blocking AND state = 'completed';
  CREATE INDEX job_common_i10 ON pgboss.job_common (name, singleton_key, state DESC, created_on, id) INCLUDE (start_after) WHERE state < 'active' AND NOT blocked AND policy = 'key_strict_fifo';
  CREATE INDEX job_common_i11 ON pgboss.job_common (name, priority DESC, created_on, start_after) WHERE state < 'active' AND NOT blocked;

  -- Not pg-boss's: it finds what is due behind any number of deferred jobs.
  CREATE INDEX job_common_due ON pgboss.job_common (name, priority DESC, start_after) WHERE state < 'active' AND NOT blocked;

  ALTER TABLE pgboss.job ATTACH PARTITION pgboss.job_common DEFAULT;

  CREATE TABLE pgboss.warning (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    type       text NOT NULL,
    message    text NOT NULL,
    data       jsonb,
    created_on timestamptz NOT NULL DEFAULT now()
  );
  CREATE INDEX warning_i1 ON pgboss.warning (created_on DESC);

  CREATE TABLE pgboss.queue_stats (
    id             uuid NOT NULL DEFAULT gen_random_uuid(),
    name           text NOT NULL,
    deferred_count int NOT NULL DEFAULT 0,
    queued_count   int NOT NULL DEFAULT 0,
    ready_count    int NOT NULL DEFAULT 0,
    active_count   int NOT NULL DEFAULT 0,
    failed_count   int NOT NULL DEFAULT 0,
    total_count    int NOT NULL DEFAULT 0,
    captured_on    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, captured_on)
  ) PARTITION BY RANGE (captured_on);
  CREATE INDEX queue_stats_i1 ON pgboss.queue_stats (name, captured_on DESC)
    INCLUDE (deferred_count, queued_count, ready_count, active_count, failed_count, total_count);

  -- One partition a day of UTC; the upkeep makes the next.
  FOR i IN 0..1 LOOP
    day := (now() AT TIME ZONE 'UTC')::date + i;
    EXECUTE format(
      'CREATE TABLE pgboss.%I PARTITION OF pgboss.queue_stats FOR VALUES FROM (%L) TO (%L)',
      'queue_stats_' || to_char(day, 'YYYYMMDD'),
      day || ' 00:00:00+00',
      (day + 1) || ' 00:00:00+00'
    );
  END LOOP;

  CREATE TABLE pgboss.job_dependency (
    child_name  text NOT NULL,
    child_id    uuid NOT NULL,
    parent_name text NOT NULL,
    parent_id   uuid NOT NULL,
    PRIMARY KEY (child_name, child_id, parent_name, parent_id)
  );
  CREATE INDEX job_dep_parent_idx ON pgboss.job_dependency (parent_name, parent_id);

  -- Makes a queue, and its own table where asked to.
  CREATE FUNCTION pgboss.create_queue(queue_name text, options jsonb) RETURNS void LANGUAGE plpgsql AS $function$
    DECLARE
      tablename varchar := CASE WHEN options->>'partition' = 'true'
                            THEN 'j' || encode(sha224(queue_name::bytea), 'hex')
                            ELSE 'job_common'
                            END;
      queue_created_on timestamptz;
    BEGIN

      WITH q as (
        INSERT INTO pgboss.queue (
          name,
          policy,
          retry_limit,
          retry_delay,
          retry_backoff,
          retry_delay_max,
          expire_seconds,
          retention_seconds,
          deletion_seconds,
          warning_queued,
          dead_letter,
          partition,
          table_name,
          heartbeat_seconds,
          notify,
          created_on,
          updated_on
        )
        VALUES (
          queue_name,
          options->>'policy',
          COALESCE((options->>'retryLimit')::int, 2),
          COALESCE((options->>'retryDelay')::int, 0),
          COALESCE((options->>'retryBackoff')::bool, false),
          (options->>'retryDelayMax')::int,
          COALESCE((options->>'expireInSeconds')::int, 900),
          COALESCE((options->>'retentionSeconds')::int, 1209600),
          COALESCE((options->>'deleteAfterSeconds')::int, 604800),
          COALESCE((options->>'warningQueueSize')::int, 0),
          options->>'deadLetter',
          COALESCE((options->>'partition')::bool, false),
          tablename,
          (options->>'heartbeatSeconds')::int,
          COALESCE((options->>'notify')::bool, false),
          pgboss.job_now(),
          pgboss.job_now()
        )
        ON CONFLICT DO NOTHING
        RETURNING created_on
      )
      SELECT created_on into queue_created_on from q;

      IF queue_created_on IS NULL OR options->>'partition' IS DISTINCT FROM 'true' THEN
        RETURN;
      END IF;

      EXECUTE format('CREATE TABLE pgboss.%I (LIKE pgboss.job INCLUDING DEFAULTS)', tablename);

      EXECUTE pgboss.job_table_format($cmd$ALTER TABLE pgboss.job ADD PRIMARY KEY (name, id)$cmd$, tablename);
      EXECUTE pgboss.job_table_format($cmd$ALTER TABLE pgboss.job ADD CONSTRAINT q_fkey FOREIGN KEY (name) REFERENCES pgboss.queue (name) ON DELETE RESTRICT DEFERRABLE INITIALLY DEFERRED$cmd$, tablename);
      EXECUTE pgboss.job_table_format($cmd$ALTER TABLE pgboss.job ADD CONSTRAINT dlq_fkey FOREIGN KEY (dead_letter) REFERENCES pgboss.queue (name) ON DELETE RESTRICT DEFERRABLE INITIALLY DEFERRED$cmd$, tablename);

      EXECUTE pgboss.job_table_format($cmd$CREATE INDEX job_i11 ON pgboss.job (name, priority DESC, created_on, start_after) WHERE state < 'active' AND NOT blocked$cmd$, tablename);
      EXECUTE pgboss.job_table_format($cmd$CREATE UNIQUE INDEX job_i4 ON pgboss.job (name, singleton_on, COALESCE(singleton_key, '')) WHERE state <> 'cancelled' AND singleton_on IS NOT NULL$cmd$, tablename);
      EXECUTE pgboss.job_table_format($cmd$CREATE INDEX job_i7 ON pgboss.job (name, group_id) WHERE state = 'active' AND group_id IS NOT NULL$cmd$, tablename);
      EXECUTE pgboss.job_table_format($cmd$CREATE INDEX job_i9 ON pgboss.job (name, id) WHERE blocking AND state = 'completed'$cmd$, tablename);

      IF options->>'policy' = 'short' THEN
        EXECUTE pgboss.job_table_format($cmd$CREATE UNIQUE INDEX job_i1 ON pgboss.job (name, COALESCE(singleton_key, '')) WHERE state = 'created' AND policy = 'short'$cmd$, tablename);
      ELSIF options->>'policy' = 'singleton' THEN
        EXECUTE pgboss.job_table_format($cmd$CREATE UNIQUE INDEX job_i2 ON pgboss.job (name, COALESCE(singleton_key, '')) WHERE state = 'active' AND policy = 'singleton'$cmd$, tablename);
      ELSIF options->>'policy' = 'stately' THEN
        EXECUTE pgboss.job_table_format($cmd$CREATE UNIQUE INDEX job_i3 ON pgboss.job (name, state, COALESCE(singleton_key, '')) WHERE state <= 'active' AND policy = 'stately'$cmd$, tablename);
      ELSIF options->>'policy' = 'exclusive' THEN
        EXECUTE pgboss.job_table_format($cmd$CREATE UNIQUE INDEX job_i6 ON pgboss.job (name, COALESCE(singleton_key, '')) WHERE state <= 'active' AND policy = 'exclusive'$cmd$, tablename);
      ELSIF options->>'policy' = 'key_strict_fifo' THEN
        EXECUTE pgboss.job_table_format($cmd$CREATE UNIQUE INDEX job_i8 ON pgboss.job (name, singleton_key) WHERE state IN ('active', 'retry', 'failed') AND policy = 'key_strict_fifo'$cmd$, tablename);
        EXECUTE pgboss.job_table_format($cmd$CREATE INDEX job_i10 ON pgboss.job (name, singleton_key, state DESC, created_on, id) INCLUDE (start_after) WHERE state < 'active' AND NOT blocked AND policy = 'key_strict_fifo'$cmd$, tablename);
        EXECUTE pgboss.job_table_format($cmd$ALTER TABLE pgboss.job ADD CONSTRAINT job_key_strict_fifo_singleton_key_check CHECK (NOT (policy = 'key_strict_fifo' AND singleton_key IS NULL))$cmd$, tablename);
      END IF;

      EXECUTE format('ALTER TABLE pgboss.%I ADD CONSTRAINT cjc CHECK (name=%L)', tablename, queue_name);
      EXECUTE format('ALTER TABLE pgboss.job ATTACH PARTITION pgboss.%I FOR VALUES IN (%L)', tablename, queue_name);
    END;
  $function$;

  CREATE FUNCTION pgboss.delete_queue(queue_name text) RETURNS void LANGUAGE plpgsql AS $function$
    DECLARE
      v_table varchar;
      v_partition bool;
    BEGIN

      SELECT table_name, partition
      FROM pgboss.queue
      WHERE name = queue_name
      INTO v_table, v_partition;

      IF v_partition THEN
        EXECUTE format('DROP TABLE IF EXISTS pgboss.%I', v_table);
      ELSE
        EXECUTE format('DELETE FROM pgboss.%I WHERE name = %L', v_table, queue_name);
      END IF;

      DELETE FROM pgboss.queue WHERE name = queue_name;
    END;
  $function$;

  INSERT INTO pgboss.version (version) VALUES (42);
END
$migration$;
