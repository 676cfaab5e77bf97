// graphile-worker: as it comes, or tuned as its page on performance says.
import { Logger, makeWorkerUtils, run } from 'graphile-worker'
import pg from 'pg'

export default async function connect(spec) {
  const pool = new pg.Pool({ connectionString: spec.url, max: Math.max(10, spec.callers + 2) })
  const logger = new Logger(() => () => {})
  const utils = await makeWorkerUtils({ pgPool: pool, logger })
  if (spec.trial === 'setup') await utils.migrate()
  const payload = (n) => ({ to: 'ada@example.com', n })
  return {
    send: async (data) => { await utils.addJob('q', data); return 1 },
    insert: async (count) => {
      await utils.addJobs(Array.from({ length: count }, (_, n) => ({ identifier: 'q', payload: payload(n) })))
      return count
    },
    work: (heard) => {
      const tuned = spec.tuned
        ? { localQueue: { size: 500, refetchDelay: { durationMs: 10 } }, completeJobBatchDelay: 0, failJobBatchDelay: 0 }
        : {}
      return run({
        preset: { worker: { concurrentJobs: spec.callers, pollInterval: (spec.pollSeconds ?? 2) * 1000, ...tuned } },
        pgPool: pool,
        logger,
        noHandleSignals: true,
        taskList: { q: (data) => heard(1, [data]) },
      })
    },
    settleDown: () => pool.query('VACUUM ANALYZE graphile_worker._private_jobs'),
  }
}
