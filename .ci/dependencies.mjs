// What dependencies may be: of the public registry, under licences that ask for no more
// than their notice, and with rustls on ring as the only TLS. Run: node .ci/dependencies.mjs
import { execFileSync } from 'node:child_process'

const allowed = new Set([
  '0BSD', 'Apache-2.0', 'Apache-2.0 WITH LLVM-exception', 'BSD-2-Clause', 'BSD-3-Clause', 'BSL-1.0',
  'CC0-1.0', 'CDLA-Permissive-2.0', 'ISC', 'MIT', 'MIT-0', 'MPL-2.0', 'PostgreSQL', 'Unicode-3.0', 'Unlicense', 'Zlib'
])
const banned = new Set(['aws-lc-sys', 'native-tls', 'openssl-sys'])
const registry = 'registry+https://github.com/rust-lang/crates.io-index'

// `MIT OR (Apache-2.0 AND ISC)`, and the older `MIT/Apache-2.0`: one of an OR, all of an AND.
function isAllowed (licence) {
  const words = (licence ?? '').replaceAll('/', ' OR ').split(/([()]|\bOR\b|\bAND\b)/).map(word => word.trim()).filter(Boolean)
  const either = () => {
    let holds = both()
    while (words[0] === 'OR') { words.shift(); holds = both() || holds }
    return holds
  }
  const both = () => {
    let holds = one()
    while (words[0] === 'AND') { words.shift(); holds = one() && holds }
    return holds
  }
  const one = () => {
    const word = words.shift()
    if (word !== '(') return allowed.has(word)
    const holds = either()
    words.shift()
    return holds
  }
  return either()
}

const options = { encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 }
const { packages } = JSON.parse(execFileSync('cargo', ['metadata', '--format-version', '1', '--locked'], options))
const wrong = []
for (const { name, version, license, source } of packages) {
  if (!isAllowed(license)) wrong.push(`${name} ${version}: the licence ${license ?? '(none)'} is not among those allowed`)
  if (source && source !== registry) wrong.push(`${name} ${version}: comes from ${source}`)
  if (banned.has(name)) wrong.push(`${name} ${version}: is not wanted; TLS is rustls with ring`)
}
for (const line of wrong) console.error(line)
console.log(`${packages.length} packages, ${wrong.length} refused`)
process.exit(wrong.length ? 1 : 0)
