import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { databaseUrl, rustQueue, until } from '../support.mjs'

test("pg-boss's dashboard shows queues and jobs, and its form sends a job that Rust works", async t => {
  const schema = 'interop_dashboard'
  const rust = rustQueue(schema)
  await rust.createQueue('q')
  const id = await rust.send({ name: 'q', data: { from: 'rust' } })
  await rust.supervise()

  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  const cli = createRequire(import.meta.url).resolve('@pg-boss/dashboard/package.json').replace('package.json', 'bin/cli.js')
  const dashboard = spawn(process.execPath, [cli], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DATABASE_URL: databaseUrl, PGBOSS_SCHEMA: schema, PORT: port, HOST: '127.0.0.1', NODE_ENV: 'production' }
  })
  t.after(() => dashboard.kill())
  const url = `http://127.0.0.1:${port}`
  await until('the dashboard answers', () => fetch(url).then(answer => answer.ok, () => false), 30)

  for (const page of ['/', '/queues', '/queues/q', `/queues/q/jobs/${id}`, '/jobs', '/schedules', '/warnings', '/send']) {
    const answer = await fetch(url + page)
    const text = await answer.text()
    assert.equal(answer.status, 200, page)
    if (page.includes('queues/q')) assert.ok(text.includes(id), `${page} shows the job`)
  }

  const answer = await fetch(`${url}/send`, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'content-type': 'application/x-www-form-urlencoded', origin: url },
    body: new URLSearchParams({ queueName: 'q', data: '{"from":"the form"}', priority: '5' })
  })
  assert.ok(answer.status < 400, `${answer.status} ${await answer.text()}`)
  const [job] = await rust.fetch('q')
  assert.deepEqual(job.data, { from: 'the form' })
  assert.equal((await rust.complete('q', job.id)).affected, 1)
})
