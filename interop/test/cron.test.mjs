import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodeQueue, rustQueue, sleep, sql } from '../support.mjs'

const MINUTES = 3

test('both run cron for three minutes, and each occurrence fires once', async t => {
  const schema = 'interop_cron'
  const rust = rustQueue(schema)
  await rust.createQueue('node-made')
  await rust.createQueue('rust-made')
  const node = await nodeQueue(t, schema, { schedule: true, supervise: true, cronMonitorIntervalSeconds: 5, cronWorkerIntervalSeconds: 1 })
  await node.schedule('node-made', '* * * * *', { by: 'node' }, { tz: 'Europe/Berlin' })
  await rust.schedule('rust-made', '* * * * *', { by: 'rust' }, { key: 'k_1' })

  // Whole minutes only: the occurrence of the minute before may fire or not.
  const start = Math.ceil((Date.now() + 2000) / 60_000) * 60_000
  // Rust comes at random, so that sometimes it runs the pass and sometimes Node does.
  let passes = 0
  while (Date.now() < start + (MINUTES - 1) * 60_000 + 20_000) {
    passes += (await rust.__cron(3)).claimed ? 1 : 0
    await rust.supervise()
    await sleep(Math.random() * 10_000)
  }
  assert.ok(passes > 0, 'Rust ran some of the passes')

  const rows = await sql(schema, `
    SELECT name, data->>'by' AS by, (extract(epoch FROM created_on) / 60)::float8 AS minute
    FROM {schema}.job
    WHERE name IN ('node-made', 'rust-made') AND created_on >= to_timestamp($1)
    ORDER BY name, created_on`, [start / 1000])
  for (const name of ['node-made', 'rust-made']) {
    const fired = rows.filter(row => row.name === name).map(row => Math.floor(row.minute) - start / 60_000)
    assert.deepEqual(fired, [...Array(MINUTES).keys()], `${name} fired once each minute`)
  }
  const schedules = await node.getSchedules()
  assert.ok(schedules.every(schedule => schedule.lastJobId), 'each schedule knows its last job')
})
