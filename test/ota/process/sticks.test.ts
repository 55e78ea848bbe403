import { chmodSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Sticks } from '../../../ota/process/sticks.js'

const copy = () => ({ metadata: { 'timestamp.json': '{}' }, targets: {} })

/** What a look finds on a stick with these files: where, and what it says. */
async function lookAt(t: Test, files: object) {
  const stick = t.testdir(files as Parameters<Test['testdir']>[0])
  const sticks = new Sticks([stick])
  const found = await sticks.look()
  const said = await Promise.all(
    found.map(({ source }) =>
      source.fetch('metadata/timestamp.json', 100).then(
        bytes => new TextDecoder().decode(bytes ?? undefined),
        (error: Error) => error.message,
      ),
    ),
  )
  const below = (path: string): string => path.slice(stick.length)
  return {
    places: found.map(({ name }) => below(name)),
    said,
    pieces: sticks.pieces().map(({ name }) => below(name)),
    sticks,
  }
}

t.test('a repository is found at the top, and in the folder that was copied', async t => {
  t.match(await lookAt(t, copy()), { places: [''], said: ['{}'], pieces: [''] })
  const folders = { repository: copy(), photos: { 'x.jpg': '' }, '.Trash-0': copy() }
  const { sticks, ...found } = await lookAt(t, folders)
  t.match(found, { places: ['/repository'], said: ['{}'], pieces: ['/repository'] })
  t.equal(sticks.pieces()[0], sticks.pieces()[0], 'and stays the same source')
})

t.test('of several copies the newest is asked first', async t => {
  const stick = t.testdir({ 'repository-old': copy(), repository: copy() })
  for (const [name, seconds] of [
    ['repository-old', 2_000],
    ['repository', 1_000],
  ] as const)
    utimesSync(join(stick, name, 'metadata/timestamp.json'), seconds, seconds)
  const found = await new Sticks([stick]).look()
  t.same(
    found.map(({ name }) => name),
    [join(stick, 'repository-old'), join(stick, 'repository')],
  )
})

t.test('what is no repository is told, with where it was looked', async t => {
  t.match(await lookAt(t, { photos: {}, tour: { repository: copy() } }), {
    places: [''],
    said: [/no metadata\/timestamp\.json at its top, nor in a folder there \(photos, tour\)/],
    pieces: [''],
  })
  t.match(await lookAt(t, { metadata: { '1.root.json': '{}' }, targets: {} }), {
    said: [/not copied to its end: metadata\/timestamp\.json is missing/],
  })
  t.match(await lookAt(t, { photos: {}, roadcase: { targets: {} } }), {
    said: [
      /the repository in roadcase was not copied to its end: metadata\/timestamp\.json is miss/,
    ],
  })
})

t.test('where no stick is, nothing is told', async t => {
  t.match(await lookAt(t, {}), { places: [], pieces: [''] })
  t.match(await lookAt(t, { 'lost+found': {}, 'System Volume Information': {} }), { places: [] })
  t.same(await new Sticks([join(t.testdir({}), 'none')]).look(), [])
})

t.test('a stick that this user may not read says so', async t => {
  const stick = t.testdir({ repository: copy() })
  const isRoot = process.geteuid?.() === 0
  chmodSync(stick, 0)
  if (isRoot) process.seteuid?.(65_534)
  const [found] = await new Sticks([stick])
    .look()
    .finally(() => (isRoot ? process.seteuid?.(0) : undefined))
  chmodSync(stick, 0o755)
  const said = await found?.source.fetch('x', 1).catch((error: Error) => error.message)
  t.match(said, /cannot be read: EACCES/)
})
