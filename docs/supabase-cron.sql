-- Ticks for the scheduler from Supabase: pg_cron calls, pg_net posts. Put in the
-- scheduler's URL (the stack's output SchedulerUrl, or that of `telecast scheduler
-- --tick-on`) and HANDLER_SECRET, and run it once in the SQL editor. To stop:
-- SELECT cron.unschedule('telecast-tick');

CREATE EXTENSION IF NOT EXISTS pg_cron;
CREATE EXTENSION IF NOT EXISTS pg_net;

-- The secret lies sealed in the vault; the job's text, which many may read, does not hold it.
SELECT vault.create_secret('HANDLER-SECRET', 'telecast_handler_secret', 'Opens the URL of Telecast''s scheduler');

SELECT cron.schedule(
  'telecast-tick',
  '* * * * *',
  $job$
    SELECT net.http_post(
      url := 'https://SCHEDULER-URL/',
      body := '{}'::jsonb,
      headers := jsonb_build_object(
        'content-type', 'application/json',
        'authorization', 'Bearer ' || secret.decrypted_secret
      ),
      -- The tick goes on when pg_net has hung up.
      timeout_milliseconds := 5000
    )
    FROM vault.decrypted_secrets AS secret
    WHERE secret.name = 'telecast_handler_secret'
  $job$
);
