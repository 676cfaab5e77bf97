// Starts a database and the queue's server, runs the tests on them, and stops both.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

async function freePort () {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

const database = spawn(process.env.INTEROP_DATABASE, { stdio: ['pipe', 'pipe', 'inherit'] })
const [line] = await once(createInterface(database.stdout), 'line')
const databaseUrl = line.replace('?sslmode=disable', '')

const port = await freePort()
const rpc = spawn(process.env.INTEROP_RPC, ['--database-url', databaseUrl, '--listen', `127.0.0.1:${port}`], { stdio: 'inherit' })
const rpcUrl = `http://127.0.0.1:${port}/rpc`
for (let tries = 0; !await fetch(rpcUrl).then(() => true, () => false); tries++) {
  if (tries === 100) throw new Error('the rpc example does not answer')
  await sleep(100)
}

const tests = spawn(process.execPath, ['--test', '--test-concurrency=6', '--test-reporter=spec', 'test/*.test.mjs'], {
  stdio: 'inherit',
  env: { ...process.env, DATABASE_URL: databaseUrl, RPC_URL: rpcUrl, TZ: 'UTC' }
})
const [code] = await once(tests, 'exit')

rpc.kill()
database.stdin.end()
await once(database, 'exit')
process.exit(code ?? 1)
