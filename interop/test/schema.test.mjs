import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodeQueue, rustQueue } from '../support.mjs'
import { PgBoss as Older } from 'pg-boss-12.27'

const POLICIES = ['standard', 'short', 'singleton', 'stately', 'exclusive', 'key_strict_fifo']

test('pg-boss finds no drift in the schema and queues that Rust made', async t => {
  const rust = rustQueue('interop_schema')
  for (const policy of POLICIES) {
    await rust.createQueue(policy, { policy })
    await rust.createQueue(`${policy}-own-table`, { policy, partition: true })
  }
  const node = await nodeQueue(t, 'interop_schema')
  assert.equal(await node.schemaVersion(), 42)
  const drift = await node.detectSchemaDrift()
  assert.equal(drift.ok, true, JSON.stringify(drift))
  const queues = await node.getQueues()
  assert.equal(queues.length, 12)
  assert.deepEqual(queues.map(queue => queue.policy).sort(), [...POLICIES, ...POLICIES].sort())
})

test('Rust works on the schema of the oldest pg-boss it accepts, version 37', async t => {
  const node = await nodeQueue(t, 'interop_v37', { migrate: true }, Older)
  assert.equal(await node.schemaVersion(), 37)
  const rust = rustQueue('interop_v37')
  await node.createQueue('q', { retryLimit: 1 })
  await rust.createQueue('dead')
  const id = await rust.send({ name: 'q', data: { n: 1 }, options: { deadLetter: 'dead' } })
  for (const state of ['retry', 'failed']) {
    const [job] = await rust.fetch('q')
    assert.equal(job.id, id)
    await rust.fail('q', id, { why: state })
    assert.equal((await node.getJobById('q', id)).state, state)
  }
  assert.deepEqual((await node.fetch('dead'))[0].data, { n: 1 })
  await rust.schedule('q', '* * * * *')
  await rust.__cron()
  await rust.supervise()
  assert.equal((await node.getQueue('q')).failedCount, 1)
})
