// One trial of one peer: node run.mjs <peer> '{"trial": …, "url": …}'; prints its outcome as JSON.
import { readFileSync } from 'node:fs'

const [peer, argument] = process.argv.slice(2)
const spec = JSON.parse(argument)
const { default: connect } = await import(`./${peer}.mjs`)
const queue = await connect(spec)

/** Runs `callers` loops of `step`, which tells how many jobs it did, until time is up or none is left. */
async function loops(step) {
  const begun = performance.now()
  const until = begun + spec.seconds * 1000
  let jobs = 0
  const loop = async () => {
    while (performance.now() < until) {
      const done = await step()
      jobs += done
      if (done === 0) return
    }
  }
  await Promise.all(Array.from({ length: spec.callers }, loop))
  return { jobs, seconds: (performance.now() - begun) / 1000 }
}

/** Works the backlog off, or as much of it as there is time for. */
async function drain() {
  const begun = performance.now()
  let jobs = 0
  let finish
  const finished = new Promise((resolve) => { finish = resolve })
  const timer = setTimeout(finish, spec.seconds * 1000)
  let took = 0
  await queue.work((count) => {
    jobs += count
    took = performance.now() - begun
    if (jobs >= spec.backlog) finish()
  })
  await finished
  clearTimeout(timer)
  return { jobs, seconds: took / 1000 }
}

/** From the moment before a job is sent to the start of its handler. */
async function latency() {
  const sent = new Map()
  const waits = []
  await queue.work((count, data) => {
    for (const { n } of data) waits.push(performance.now() - sent.get(n))
  })
  await new Promise((resolve) => setTimeout(resolve, 500))
  const sending = []
  for (let n = 0; n < spec.backlog; n++) {
    await new Promise((resolve) => setTimeout(resolve, 5 + Math.random() * 10))
    sent.set(n, performance.now())
    sending.push(queue.send({ n }))
  }
  await Promise.all(sending)
  const until = performance.now() + 10_000
  while (waits.length < spec.backlog && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  waits.sort((a, b) => a - b)
  const at = (share) => waits[Math.min(waits.length - 1, Math.floor(waits.length * share))]
  return { jobs: waits.length, seconds: 0, p50Ms: at(0.5), p99Ms: at(0.99) }
}

async function preloaded(measure) {
  for (let left = spec.backlog; left > 0; left -= 5000) await queue.insert(Math.min(left, 5000))
  await queue.settleDown()
  return measure()
}

const trials = {
  setup: async () => ({ jobs: 0, seconds: 0 }),
  send: () => loops(() => queue.send({ to: 'ada@example.com', n: 1 })),
  insert: () => loops(() => queue.insert(spec.batch)),
  step: () => preloaded(() => loops(() => queue.step(spec.batch))),
  drain: () => preloaded(drain),
  latency,
}
const outcome = await trials[spec.trial]()
const [, peak] = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))
console.log(JSON.stringify({ ...outcome, peakMb: Number(peak) / 1024 }))
process.exit(0)
