/** What every folder of files promises. Each test has an empty one of its own. */
import type { Test } from 'tap'
import { BoxError, ConfigError } from '../../runtime/core/errors.js'
import type { Files } from '../../runtime/ports/files.js'

const MEBIBYTE = 1024 * 1024
const OUTSIDE = ['../x', 'a/../../x', '/etc/passwd', '..', '.', '', 'a/', 'a//b', './a', 'a\\..\\x']

export function filesContract(t: Test, makeFiles: (t: Test) => Files): void {
  const promise = (name: string, prove: (t: Test, files: Files) => Promise<void>): void =>
    void t.test(name, async t => prove(t, makeFiles(t)))

  promise('a file that is not there reads as null', async (t, files) => {
    t.equal(await files.read('a'), null)
    t.equal(await files.read('a/b'), null)
  })

  promise('what replaced a file is read back, byte for byte', async (t, files) => {
    const every = Uint8Array.from({ length: 256 }, (_, byte) => byte)
    await files.replace('a', every)
    t.same(await files.read('a'), every)
    await files.replace('a', Uint8Array.of(1))
    t.same(await files.read('a'), Uint8Array.of(1))
    await files.replace('a', new Uint8Array())
    t.same(await files.read('a'), new Uint8Array())
  })

  promise('a file may live in a folder below', async (t, files) => {
    await files.replace('shows/2026/opening.yaml', Uint8Array.of(7))
    t.same(await files.read('shows/2026/opening.yaml'), Uint8Array.of(7))
    t.equal(await files.read('opening.yaml'), null)
  })

  promise('a removed file is gone, and removing it again does no harm', async (t, files) => {
    await files.replace('a', Uint8Array.of(1))
    await files.remove('a')
    await files.remove('a')
    t.equal(await files.read('a'), null)
  })

  promise('replacements of one file at the same time happen in order', async (t, files) => {
    await Promise.all([1, 2, 3, 4].map(byte => files.replace('a', Uint8Array.of(byte))))
    t.same(await files.read('a'), Uint8Array.of(4))
  })

  promise(
    'the caller may use its bytes again at once, and what it reads is its own',
    async (t, files) => {
      const bytes = Buffer.from('pooled bytes').subarray(0, 6)
      const replaced = files.replace('a', bytes)
      bytes.fill(0)
      await replaced
      const read = await files.read('a')
      t.equal(Buffer.from(read ?? []).toString(), 'pooled')
      read?.fill(0)
      t.equal(Buffer.from((await files.read('a')) ?? []).toString(), 'pooled')
    },
  )

  promise('no name leaves the folder, and the message says which', async (t, files) => {
    for (const name of [
      ...OUTSIDE,
      'nul\0',
      'line\n',
      'half \ud83d',
      'x'.repeat(201),
      'box.json.new',
    ]) {
      const calls = [files.read(name), files.replace(name, Uint8Array.of(1)), files.remove(name)]
      for (const result of await Promise.allSettled(calls)) {
        t.ok(
          result.status === 'rejected' && result.reason instanceof ConfigError,
          JSON.stringify(name),
        )
        if (result.status === 'rejected') t.match(String(result.reason), /file "/)
      }
    }
  })

  promise('16 MiB are taken; more is refused and the old file stays', async (t, files) => {
    await files.replace('a', new Uint8Array(16 * MEBIBYTE))
    await rejectsWith(t, files.replace('a', new Uint8Array(16 * MEBIBYTE + 1)), 'storage.limit')
    t.equal((await files.read('a'))?.length, 16 * MEBIBYTE)
  })

  promise('at most 64 calls wait for the disk', async (t, files) => {
    const calls = Array.from({ length: 70 }, () => files.read('a'))
    const results = await Promise.allSettled(calls)
    t.equal(results.filter(({ status }) => status === 'fulfilled').length, 64)
    await rejectsWith(t, Promise.all(calls), 'storage.limit')
    t.equal(await files.read('a'), null)
  })
}

async function rejectsWith(t: Test, work: Promise<unknown>, code: string): Promise<void> {
  const thrown: unknown = await work.then(
    () => null,
    (error: unknown) => error,
  )
  t.ok(thrown instanceof BoxError && thrown.code === code, `${String(thrown)} is ${code}`)
}
