import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PgBoss as Newer } from 'pg-boss-12.38'
import { nodeQueue, rustQueue, sleep, sql, until } from '../support.mjs'

test('12.38 upgrades the schema to 46 while Rust workers run, and nothing breaks', async t => {
  const schema = 'interop_upgrade'
  const rust = rustQueue(schema)
  await rust.createQueue('q', { retryLimit: 10 })
  await rust.createQueue('own', { partition: true, policy: 'stately' })

  let sent = 0
  let running = true
  const errors = []
  const worker = async work => {
    while (running) await work().catch(error => errors.push(error.message))
  }
  const workers = [
    worker(async () => { if (await rust.send({ name: 'q', data: { n: sent } })) sent++; await sleep(5) }),
    ...[1, 2, 3].map(() => worker(async () => {
      const [job] = await rust.fetch('q')
      if (!job) return await sleep(10)
      if (Math.random() < 0.2) await rust.fail('q', job.id, { why: 'chance' })
      else await rust.complete('q', job.id)
    })),
    worker(async () => { await rust.supervise(); await rust.__cron(); await sleep(200) })
  ]
  await sleep(1000)
  const node = await nodeQueue(t, schema, { migrate: true, supervise: true, bamIntervalSeconds: 10 }, Newer)
  assert.equal(await node.schemaVersion(), 46)
  await sleep(2000)
  running = false
  await Promise.all(workers)
  assert.deepEqual(errors, [])
  assert.ok(sent > 10, `${sent} sent`)

  await until('all is worked', async () => {
    const jobs = await rust.fetch('q', { batchSize: 50 })
    if (jobs.length) await rust.complete('q', jobs.map(job => job.id))
    return !jobs.length
  })
  const states = await sql(schema, "SELECT state::text, count(*)::int FROM {schema}.job WHERE name = 'q' GROUP BY 1")
  assert.deepEqual(states.filter(({ state }) => state === 'completed' || state === 'failed')
    .reduce((sum, { count }) => sum + count, 0), sent, JSON.stringify(states))

  // And on with both, on columns that Rust has never heard of.
  const id = await node.send('own', { n: 1 })
  await sql(schema, "UPDATE {schema}.job SET trace_context = '{\"kept\": true}' WHERE id = $1", [id])
  await rust.fetch('own')
  await rust.fail('own', id, { why: 'test' })
  const [row] = await sql(schema, 'SELECT state::text, trace_context FROM {schema}.job WHERE id = $1', [id])
  assert.deepEqual(row, { state: 'retry', trace_context: { kept: true } })
})
