/** The key that the boxes of a venue share: read from a file that is its owner's alone. */
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ConfigError } from '../../runtime/core/errors.js'
import { readVenueKey } from '../../runtime/venue-key.js'

const KEY = new Uint8Array(48).fill(7)

function keyFile(t: Test, mode: number, key: Uint8Array = KEY): string {
  const file = join(t.testdir({}), 'venue.key')
  writeFileSync(file, key)
  chmodSync(file, mode)
  return file
}

t.test('a key of its owner alone is read', async t => {
  for (const mode of [0o600, 0o400, 0o700])
    t.same(await readVenueKey(keyFile(t, mode)), KEY, mode.toString(8))
})

t.test('a key that others may read or write is refused, and told how to mend', async t => {
  for (const [mode, text] of [
    [0o644, '0644'],
    [0o640, '0640'],
    [0o604, '0604'],
    [0o620, '0620'],
    [0o602, '0602'],
  ] as const) {
    const file = keyFile(t, mode)
    const error = await readVenueKey(file).catch((cause: unknown) => cause)
    t.ok(error instanceof ConfigError, text)
    t.match(error, { code: 'config.invalid', problems: [{ path: file }] })
    t.match(error, { message: `its mode is ${text}` })
    t.match(error, { message: `chmod 600 ${file}` })
  }
})

t.test('what is no key is refused', async t => {
  const short = keyFile(t, 0o600, KEY.subarray(0, 31))
  await t.rejects(readVenueKey(short), { code: 'config.invalid', message: /between 32 and 4096/ })
  const long = keyFile(t, 0o600, new Uint8Array(4_097))
  await t.rejects(readVenueKey(long), { code: 'config.invalid', message: /has 4097/ })
  const nowhere = join(t.testdir({}), 'venue.key')
  await t.rejects(readVenueKey(nowhere), { code: 'config.invalid', message: /cannot be read/ })
  await t.rejects(readVenueKey(t.testdir({})), {
    code: 'config.invalid',
    message: /cannot be read/,
  })
})
