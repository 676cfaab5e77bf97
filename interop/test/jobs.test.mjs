import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { nodeQueue, rustQueue, sleep, sql, until } from '../support.mjs'

const schema = 'interop_jobs'
const rust = rustQueue(schema)

before(async () => {
  await rust.createQueue('dead')
})

// Each test has its own queue, so that none sees another's jobs.
async function both (t, name, options = {}, nodeOptions = {}) {
  await rust.createQueue(name, options)
  return await nodeQueue(t, schema, nodeOptions)
}

test('Node sends and Rust works', async t => {
  const node = await both(t, 'node-sends')
  const id = await node.send('node-sends', { hello: 'Rust' }, { priority: 7, retryLimit: 3, group: { id: 'g', tier: 't' } })
  const [job] = await rust.fetch('node-sends', { includeMetadata: true })
  assert.equal(job.id, id)
  assert.deepEqual(job.data, { hello: 'Rust' })
  assert.equal(job.priority, 7)
  assert.equal(job.retryLimit, 3)
  assert.equal(job.groupId, 'g')
  await rust.complete('node-sends', id, { hello: 'Node' })
  const done = await node.getJobById('node-sends', id)
  assert.equal(done.state, 'completed')
  assert.deepEqual(done.output, { hello: 'Node' })
})

test('Rust sends and Node works', async t => {
  const node = await both(t, 'rust-sends')
  const worked = []
  await node.work('rust-sends', { pollingIntervalSeconds: 0.5 }, async ([job]) => {
    worked.push(job.data.n)
    return { n: job.data.n }
  })
  const ids = []
  for (let n = 0; n < 5; n++) ids.push(await rust.send({ name: 'rust-sends', data: { n } }))
  await until('Node has worked', () => worked.length === 5)
  assert.deepEqual(worked, [0, 1, 2, 3, 4])
  await until('the last is completed', async () => (await rust.getJobById('rust-sends', ids[4])).state === 'completed')
  assert.deepEqual((await rust.getJobById('rust-sends', ids[4])).output, { n: 4 })
})

test('a job that Rust sends wakes a Node worker that listens', async t => {
  const node = await both(t, 'wakes', { notify: true }, { useListenNotify: true })
  let worked
  await node.work('wakes', { pollingIntervalSeconds: 60, notifyPollingIntervalSeconds: 60 }, async () => { worked = true })
  await sleep(1000)
  await rust.send({ name: 'wakes' })
  await until('the worker has woken', () => worked, 5)
})

test('each fails what the other made, until it is dead', async t => {
  const node = await both(t, 'fails', { retryLimit: 1, deadLetter: 'dead' })
  const id = await node.send('fails', { n: 1 })
  await rust.fetch('fails')
  await rust.fail('fails', id, { by: 'rust' })
  assert.equal((await node.getJobById('fails', id)).state, 'retry')
  const [again] = await node.fetch('fails', { includeMetadata: true })
  assert.equal(again.retryCount, 1)
  await node.fail('fails', id, { by: 'node' })
  const failed = await rust.getJobById('fails', id)
  assert.equal(failed.state, 'failed')
  assert.deepEqual(failed.output, { by: 'node' })
  const [dead] = await rust.fetch('dead', { includeMetadata: true })
  assert.equal(dead.sourceId, id)
  assert.deepEqual(dead.data, { n: 1 })

  const mine = await rust.send({ name: 'fails', data: { n: 2 }, options: { retryLimit: 0 } })
  await node.fetch('fails')
  await node.fail('fails', mine)
  const [buried] = await node.findJobs('dead', { data: { n: 2 } })
  assert.equal(buried.sourceName, 'fails')
  assert.equal(await rust.redrive('dead', { sourceName: 'fails', ids: [buried.id] }), 1)
  assert.equal((await node.fetch('fails'))[0].data.n, 2)
})

test('each cancels, resumes, retries and deletes what the other made', async t => {
  const node = await both(t, 'cancels', { retryLimit: 0 })
  const [mine, yours] = [await rust.send({ name: 'cancels' }), await node.send('cancels')]
  await rust.cancel('cancels', yours)
  await node.cancel('cancels', mine)
  assert.deepEqual(await rust.fetch('cancels'), [])
  await rust.resume('cancels', mine)
  await node.resume('cancels', yours)
  const jobs = await node.fetch('cancels', { batchSize: 2 })
  assert.equal(jobs.length, 2)
  await rust.fail('cancels', [mine, yours])
  assert.equal((await node.retry('cancels', mine)).affected, 1)
  assert.equal((await rust.retry('cancels', yours)).affected, 1)
  assert.equal((await node.deleteJob('cancels', mine)).affected, 1)
  assert.equal((await rust.deleteJob('cancels', yours)).affected, 1)
})

test('both respect one slot, one policy and one id', async t => {
  const node = await both(t, 'slots')
  const slot = { singletonSeconds: 3600, singletonKey: 'k' }
  assert.ok(await rust.send({ name: 'slots', options: slot }))
  assert.equal(await node.send('slots', null, slot), null)
  const next = await node.send('slots', null, { ...slot, singletonNextSlot: true })
  assert.ok(next)
  assert.equal(await rust.send({ name: 'slots', options: { ...slot, singletonNextSlot: true } }), null)

  const strict = await both(t, 'strict', { policy: 'key_strict_fifo' })
  await strict.send('strict', { n: 1 }, { singletonKey: 'a' })
  await rust.send({ name: 'strict', data: { n: 2 }, options: { singletonKey: 'a' } })
  const [first] = await rust.fetch('strict', { batchSize: 5 })
  assert.equal(first.data.n, 1)
  assert.deepEqual(await strict.fetch('strict'), [])
  await strict.complete('strict', first.id)
  assert.equal((await rust.fetch('strict'))[0].data.n, 2)
})

test('a flow of one side is worked by the other', async t => {
  const node = await both(t, 'flows')
  const ids = await node.flow([
    { ref: 'parent', name: 'flows' },
    { ref: 'child', name: 'flows', dependsOn: ['parent'] }
  ])
  const [parent] = await rust.fetch('flows', { batchSize: 5 })
  assert.equal(parent.id, ids.parent)
  await rust.complete('flows', parent.id)
  assert.equal((await node.fetch('flows'))[0].id, ids.child)

  const mine = await rust.flow([
    { ref: 'parent', name: 'flows' },
    { ref: 'child', name: 'flows', dependsOn: ['parent'] }
  ])
  await node.fetch('flows')
  await node.complete('flows', mine.parent)
  await rust.supervise()
  assert.equal((await node.fetch('flows'))[0].id, mine.child)
})

test('both expire what ran too long, once', async t => {
  const node = await both(t, 'expires', { retryLimit: 5 }, { monitorIntervalSeconds: 1 })
  const id = await node.send('expires', null, { expireInSeconds: 1 })
  await rust.fetch('expires')
  await sleep(1500)
  await Promise.all([node.supervise('expires'), rust.supervise('expires')])
  const job = await rust.getJobById('expires', id)
  assert.equal(job.state, 'retry')
  assert.deepEqual(job.output, { value: { message: 'job timed out' } })
  const [again] = await rust.fetch('expires', { includeMetadata: true })
  assert.equal(again.retryCount, 1)
  const [{ count }] = await sql(schema, "SELECT count(*)::int FROM {schema}.job WHERE name = 'expires'")
  assert.equal(count, 1)
})
