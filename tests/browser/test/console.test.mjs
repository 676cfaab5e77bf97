// An operator's first campaign, by clicking; then every page, as a phone and a desktop show
// it, in light and dark.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { pagesOf, schemes, sizes } from '../pages.mjs'
import { Stack, password } from '../stack.mjs'

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
// At 600 a minute there are some 20 seconds to pause it in.
const channels = 240
const gone = 5
const largestPage = 60_000

const stack = new Stack()
let page
const troubles = []

before(async () => {
  await stack.start()
  page = await stack.browser.newPage()
  page.setDefaultTimeout(60_000)
  await page.setViewport(sizes.desktop)
  page.on('console', message => {
    if (message.type() === 'error') troubles.push(`${page.url()}: ${message.text()}`)
  })
  page.on('pageerror', error => troubles.push(`${page.url()}: ${error.message}`))
})

after(() => stack.stop())

const open = path => page.goto(stack.url + path, { waitUntil: 'load' })
const text = selector => page.$eval(selector, element => element.textContent.trim())
const path = () => new URL(page.url()).pathname

// Clicks what has this text, and waits for the page that it leads to.
async function follow (words) {
  const target = await page.waitForSelector(`::-p-xpath(//main//*[self::a or self::button][normalize-space()="${words}"])`)
  await Promise.all([page.waitForNavigation({ waitUntil: 'load' }), target.click()])
}

// Writes into the field with this label.
async function fill (label, value) {
  const field = await page.waitForSelector(`::-p-xpath(//main//label[normalize-space(text())="${label}"]/*[self::input or self::textarea])`)
  await field.evaluate(element => { element.value = '' })
  await field.type(value)
}

// Waits until the live part shows it, without a new page.
async function shows (words) {
  const loaded = await page.evaluate(() => performance.timeOrigin)
  await page.waitForFunction(words => document.querySelector('main').innerText.includes(words), {}, words)
  assert.equal(await page.evaluate(() => performance.timeOrigin), loaded, 'the page was loaded again')
}

const done = () => text('[data-part=progress] dd').then(words => Number(words.split('/')[0].replace(/\D/g, '')))

test('who is not signed in is asked to, and a wrong password is told', async () => {
  await open('/console/campaigns')
  assert.equal(path(), '/console/sign-in')
  assert.deepEqual(await faults(), [])
  await fill('User name', 'admin')
  await fill('Password', 'guess')
  await follow('Sign in')
  assert.match(await text('[role=alert]'), /password/)
  // A page that was refused is told in the console.
  troubles.length = 0
  await fill('User name', 'admin')
  await fill('Password', password)
  await follow('Sign in')
  assert.equal(path(), '/console')
  assert.match(await text('.steps'), /Import channels/)
})

test('a file that is dropped is landed, and its bad line is named', async () => {
  const rows = Array.from({ length: channels }, (_, n) => `news_${n + 1},Новости ${n + 1},news`)
  const file = ['username,title,category', ...rows, 'not a name!,Bad,news', 'news_1,Again,news'].join('\n')
  await open('/console/channels')
  await Promise.all([
    page.waitForNavigation({ waitUntil: 'load' }),
    page.$eval('[data-drop]', (form, file) => {
      const dataTransfer = new DataTransfer()
      dataTransfer.items.add(new File([file], 'channels.csv', { type: 'text/csv' }))
      form.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }))
    }, file)
  ])
  const figures = await page.$$eval('.figures div', all => all.map(one => one.innerText.split('\n')))
  assert.deepEqual(Object.fromEntries(figures), {
    Rows: String(channels + 2), New: String(channels), Updated: '0', Unchanged: '0', Duplicates: '1', Rejected: '1'
  })
  assert.equal(await text('table th[scope=row]'), String(channels + 2))
  assert.deepEqual(await faults(), [])
})

test('a batch is made of them', async () => {
  await follow('Make a batch of them')
  await fill('Name', 'All news')
  await follow('Make a batch')
  assert.match(await text('tbody tr'), new RegExp(`All news\\s+${channels}\\s+${channels}`))
})

let template
test('a template is written, its preview follows the pen, its length counts code points', async () => {
  await open('/console/templates/new')
  await fill('Name', 'Spring news')
  await page.select('select[name=parseMode]', 'HTML')
  await fill('Text', 'Привет, <b>{{title}}</b> 👋')
  await page.waitForFunction(() => document.querySelector('#preview b')?.innerText.startsWith('Новости'))
  assert.equal(await text('#length'), String([...'Привет, <b>{{title}}</b> 👋'].length))
  await follow('Save')
  template = path()
  assert.match(await text('h1'), /Spring news\s+Version 1/)
})

test('a campaign shows its timetable before it is saved, with a warning', async () => {
  await open('/console/campaigns/new')
  await fill('Name', 'Spring')
  await fill('Messages per minute', '6000')
  await follow('Show the timetable')
  assert.match(await text('.note'), /above the bot's/)
  assert.equal(await text('.figures dd'), String(channels))
  await fill('Messages per minute', '600')
  await follow('Show the timetable')
  assert.equal(await page.$('.note'), null)
})

let campaign
test('it is started, moves by itself, is paused and resumed, and completes', async () => {
  for (let n = 0; n < gone; n++) await stack.script(`@news_${20 * n + 7}`, [{ type: 'kicked' }])
  await follow('Save and start')
  campaign = path()
  await shows('Running')
  const first = await done()
  await page.waitForFunction(first => {
    const words = document.querySelector('[data-part=progress] dd').innerText
    return Number(words.split('/')[0].replace(/\D/g, '')) > first + 10
  }, {}, first)

  await follow('Pause')
  assert.match(await text('main'), /Nothing more is sent until it is resumed/)
  assert.deepEqual(await faults(), [])
  await follow('Pause')
  await shows('An operator paused it')
  assert.ok(await done() < channels, 'it was paused before its end')
  await picture('campaign-paused')

  await follow('Resume')
  await follow('Resume')
  await shows('Running')
  await shows('Completed')
  assert.equal(await done(), channels)
  assert.equal(await stack.accepted(), channels - gone)
  const states = await page.$$eval('[data-part=progress] .figures div', all => all.map(one => one.innerText.split('\n')))
  assert.equal(Object.fromEntries(states).Failed, String(gone))
  assert.match(await text('[data-part=logs]'), /CHANNEL_GONE[\s\S]*CAMPAIGN_PAUSED/)
})

test('recipients are found by name and by state', async () => {
  await page.select('#recipients select', 'FAILED')
  await follow('Filter')
  assert.equal((await page.$$('#recipients tbody tr')).length, gone)
  await page.select('#recipients select', '')
  await fill('Search', 'news_42')
  await follow('Filter')
  assert.match(await text('#recipients tbody'), /@news_42\s+Новости 42\s+Sent/)
  const report = await page.evaluate(async href => (await fetch(href)).text(), await page.$eval('a[download]', a => a.href))
  assert.equal(report.trim().split('\n').length, channels + 1)
})

test('channels are checked while one looks', async () => {
  await open('/console/channels?search=news_12')
  await follow('Check these channels')
  assert.equal(new URL(page.url()).search, '?search=news_12&')
  await page.waitForSelector('[data-part=checks][data-final] progress')
  const figures = await page.$$eval('[data-part=checks] .figures div', all => all.map(one => one.innerText.split('\n')))
  const { Channels, Checked } = Object.fromEntries(figures)
  assert.equal(Checked, Channels)
})

test('a webhook shows its secret once', async () => {
  await open('/console/webhooks')
  await fill('Name', 'Our CRM')
  await fill('URL', 'https://example.com/telecast')
  await follow('Add the webhook')
  assert.match(await text('.note code'), /^whsec_/)
  await open('/console/webhooks')
  assert.equal(await page.$('.note'), null)
  assert.match(await text('tbody'), /Our CRM[\s\S]*campaign\.completed/)
})

test('another language is a click away', async () => {
  await open('/console/campaigns')
  const button = await page.$('.foot button')
  await Promise.all([page.waitForNavigation({ waitUntil: 'load' }), button.click()])
  assert.equal(await page.$eval('html', html => html.lang), 'ru')
  assert.equal(await text('h1'), 'Обзор')
  const back = await page.$('.foot button')
  await Promise.all([page.waitForNavigation({ waitUntil: 'load' }), back.click()])
  assert.equal(await text('h1'), 'Overview')
})

test('nothing was refused by the policy, and no script failed', () => assert.deepEqual(troubles, []))

test('an error says what to do next', async () => {
  const answer = await open('/console/campaigns/00000000-0000-7000-8000-000000000000')
  assert.equal(answer.status(), 404)
  assert.match(await text('main'), /It may have been deleted; go back to the list/)
  assert.deepEqual(await faults(), [])
})

async function picture (name) {
  await page.screenshot({ path: join(process.env.PICTURES, `${name}.png`) })
}

// What it took to load the page that stands now, in bytes, as if for the first time.
async function weight () {
  return page.evaluate(async () => {
    const parts = [location.href, ...performance.getEntriesByType('resource').map(part => part.name)]
    const sizes = await Promise.all([...new Set(parts)].map(async part => (await (await fetch(part)).arrayBuffer()).byteLength))
    return sizes.reduce((sum, size) => sum + size, 0)
  })
}

async function faults () {
  await page.evaluate(axe)
  const { violations } = await page.evaluate(() => window.axe.run({ resultTypes: ['violations'] }))
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join('; ')}`)
}

for (const [size, viewport] of Object.entries(sizes)) {
  for (const scheme of schemes) {
    test(`every page on a ${size}, in ${scheme}`, async t => {
      await page.setViewport(viewport)
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }])
      for (const [name, address] of Object.entries(pagesOf({ campaign, template }))) {
        await t.test(name, async t => {
          const answer = await open(address)
          assert.equal(answer.status(), 200)
          await picture(`${name}-${size}-${scheme}`)
          // The API's own page is a reference, and allows no calls from it.
          if (name !== 'api-docs') {
            const bytes = await weight()
            t.diagnostic(`${bytes} bytes`)
            assert.ok(bytes < largestPage, `${bytes} bytes`)
          }
          const wide = await page.evaluate(() => document.scrollingElement.scrollWidth - innerWidth)
          assert.ok(wide <= 0, `${wide} pixels too wide`)
          assert.deepEqual(await faults(), [])
        })
      }
    })
  }
}

test('without scripts the pages say the same', async () => {
  await page.setJavaScriptEnabled(false)
  await open(campaign)
  assert.match(await text('main'), /Spring[\s\S]*Completed[\s\S]*@news_1/)
  await open('/console/campaigns/new')
  await fill('Name', 'By hand')
  await follow('Show the timetable')
  assert.equal(await text('.figures dd'), String(channels - gone))
})
