// pg-boss, with what its documentation recommends for throughput.
import { PgBoss } from 'pg-boss'

export default async function connect(spec) {
  const boss = new PgBoss({
    connectionString: spec.url,
    max: Math.max(10, spec.callers + 2),
    supervise: false,
    schedule: false,
    useListenNotify: spec.listen,
    migrate: spec.trial === 'setup',
  })
  boss.on('error', (error) => { throw error })
  await boss.start()
  if (spec.trial === 'setup') await boss.createQueue('q')
  if (spec.listen) await boss.updateQueue('q', { notify: true })
  const jobs = (count) => Array.from({ length: count }, (_, n) => ({ data: { to: 'ada@example.com', n } }))
  return {
    send: async (data) => { await boss.send('q', data); return 1 },
    insert: async (count) => { await boss.insert('q', jobs(count)); return count },
    step: async (batch) => {
      const fetched = await boss.fetch('q', { batchSize: batch })
      if (fetched.length > 0) await boss.complete('q', fetched.map((job) => job.id))
      return fetched.length
    },
    work: (heard) => {
      const options = spec.trial === 'latency'
        ? { pollingIntervalSeconds: spec.pollSeconds ?? 2, batchSize: 100, localConcurrency: 2 }
        : { pollingIntervalSeconds: 0.5, batchSize: spec.batch, localConcurrency: spec.callers, burstWhenBatchFull: true }
      return boss.work('q', options, async (batch) => heard(batch.length, batch.map((job) => job.data)))
    },
    settleDown: () => boss.getDb().executeSql('VACUUM ANALYZE pgboss.job_common'),
  }
}
