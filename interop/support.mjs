// What every test needs: the Rust queue as functions, and pg-boss on the same schema.
import { PgBoss } from 'pg-boss'
import pg from 'pg'
import { setTimeout as sleep } from 'node:timers/promises'

export { sleep }
export const databaseUrl = process.env.DATABASE_URL

// The Rust queue of a schema: `rust.send({ name, data })` and so on, as pg-boss has them.
export function rustQueue (schema) {
  return new Proxy({}, {
    get: (_, method) => async (...args) => {
      const answer = await fetch(process.env.RPC_URL, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ schema, method, args: args.map(arg => arg === undefined ? { __undef: 1 } : arg) })
      })
      const { result, error } = await answer.json()
      if (error) throw Object.assign(new Error(error.message), { code: error.code })
      return result
    }
  })
}

// A pg-boss client on a schema that the Rust side made; stopped when the test ends.
export async function nodeQueue (test, schema, options = {}, Client = PgBoss) {
  const boss = new Client({ connectionString: databaseUrl, schema, migrate: false, supervise: false, schedule: false, max: 4, ...options })
  boss.on('error', error => console.error(error))
  await boss.start()
  test.after(() => boss.stop({ graceful: false }))
  return boss
}

// Runs one statement, with {schema} for the schema's name.
export async function sql (schema, text, values) {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    return (await client.query(text.replaceAll('{schema}', schema), values)).rows
  } finally {
    await client.end()
  }
}

// Waits until the function gives something.
export async function until (what, find, seconds = 20) {
  const deadline = Date.now() + seconds * 1000
  while (Date.now() < deadline) {
    const found = await find()
    if (found) return found
    await sleep(100)
  }
  throw new Error(`waited ${seconds} s in vain until ${what}`)
}
