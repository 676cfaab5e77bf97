// Telecast and Telegram's simulator, each a process, and a browser.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import puppeteer from 'puppeteer-core'

export const password = 'correct horse battery'

const chromium = process.env.CHROMIUM ??
  ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)

// Starts a program, and waits for the line that says where it listens.
async function start (program, args, env) {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = createInterface(child.stdout)
  for await (const line of lines) {
    const url = line.match(/http:\/\/[\d.:]+/)?.[0]
    if (url) {
      child.stdout.resume()
      return { child, url }
    }
  }
  throw new Error(`${program} ended before it listened`)
}

async function stop (child) {
  if (!child || child.exitCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}

export class Stack {
  async start () {
    this.folder = await mkdtemp(join(tmpdir(), 'telecast-browser-'))
    // PostgreSQL runs as an account of its own where this runs as root.
    await chmod(this.folder, 0o755)
    this.telegram = await start(process.env.TELEGRAM_SIM, ['--listen', '127.0.0.1:0', '--any-username'])
    this.telecast = await start(process.env.TELECAST, ['up', '--listen', '127.0.0.1:0'], {
      RUST_LOG: 'warn',
      TELECAST_ADMIN_PASSWORD: password,
      TELECAST_DATA_DIR: join(this.folder, 'data'),
      TELEGRAM_API_URL: this.telegram.url,
      TELEGRAM_BOT_TOKEN: '123456:a-token-that-only-the-simulator-knows'
    })
    this.url = this.telecast.url
    this.browser = await puppeteer.launch({
      executablePath: chromium,
      // Chromium's sandbox refuses root.
      args: ['--no-sandbox', '--disable-dev-shm-usage', '--lang=en-GB', '--hide-scrollbars']
    })
  }

  // What the simulator does with messages to a channel.
  async script (chat, steps) {
    const answer = await fetch(`${this.telegram.url}/sim/script`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ chat, steps })
    })
    if (!answer.ok) throw new Error(await answer.text())
  }

  // Messages that the simulator has accepted.
  async accepted () {
    const ledger = await (await fetch(`${this.telegram.url}/sim/ledger`)).json()
    return ledger.filter(call => call.messageId !== null).length
  }

  async stop () {
    await this.browser?.close()
    await stop(this.telecast?.child)
    await stop(this.telegram?.child)
    await rm(this.folder, { recursive: true })
  }
}
