// pg-boss's own upkeep on Telecast's schema, as a Node application beside it would do:
// the fault tests run it, and kill it.
import { PgBoss } from 'pg-boss'

const boss = new PgBoss({
  connectionString: process.env.DATABASE_URL,
  migrate: false,
  supervise: true,
  schedule: false,
  superviseIntervalSeconds: 1,
  monitorIntervalSeconds: 1,
  maintenanceIntervalSeconds: 1,
  max: 3
})
boss.on('error', error => console.error(error.message))
process.on('SIGTERM', async () => {
  await boss.stop({ graceful: false, close: true })
  process.exit(0)
})
for (;;) {
  try {
    await boss.start()
    break
  } catch (error) {
    console.error(error.message)
    await new Promise(resolve => setTimeout(resolve, 500))
  }
}
