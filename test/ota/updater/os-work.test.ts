import t from 'tap'
import type { OsImage } from '../../../ota/os/os-state.js'
import type { OsProgress } from '../../../ota/os/os-writer.js'
import { carryOut } from '../../../ota/updater/os-work.js'
import type { TransferProgress } from '../../../ota/updater/parts.js'
import { OsWorld, smallOs } from '../os/os-world.js'
import { smallBundle } from '../os/rauc-world.js'
import { quietBox, signedOs } from './os-updater-bench.js'

const second = signedOs('2.0.0')

/** What is told while this is written. */
async function toldOf(
  image: OsImage,
  write: (progress: (progress: OsProgress) => void) => Promise<unknown>,
): Promise<TransferProgress[]> {
  const { agent } = new OsWorld(smallOs('1.0.0')).boot()
  const told: TransferProgress[] = []
  const system = Object.assign(Object.create(agent), {
    write: async (_: OsImage, __: unknown, wishes: { progress: (one: OsProgress) => void }) => {
      await write(wishes.progress)
      return 'b'
    },
  })
  await carryOut(
    {
      system,
      objects: { bring: async () => second.source, drop: async () => {}, roomBytes: async () => 1 },
      box: { look: async () => quietBox, remember: async () => {}, gate: async () => [] },
      isForced: () => false,
      objection: () => null,
    },
    { step: 'write', image, description: second.description, version: '2.0.0' },
    progress => void told.push(progress),
    () => false,
  )
  return told
}

t.test('two partitions count as one', async t => {
  const { root, boot } = second.image
  const world = new OsWorld(smallOs('1.0.0'))
  const { agent } = world.boot()
  const told = await toldOf(second.image, progress =>
    agent.write(second.image, second.source, { progress, isCancelled: () => false }),
  )
  const counts = told.map(({ doneBytes }) => doneBytes)
  t.same(
    counts,
    counts.toSorted((one, other) => one - other),
    'it never goes back',
  )
  t.equal(counts.at(-1), root.byteCount + boot.byteCount)
  t.same([...new Set(told.map(({ allBytes }) => allBytes))], [root.byteCount + boot.byteCount])
})

t.test('a bundle counts twice: into its file, and by RAUC, which tells percent', async t => {
  const { image } = smallBundle('2.0.0')
  const { byteCount } = image.bundle
  const told = await toldOf(image, async progress => {
    progress({ part: 'bundle', done: byteCount, all: byteCount })
    progress({ part: 'install', done: 50, all: 100 })
    progress({ part: 'install', done: 100, all: 100 })
  })
  t.match(
    told.map(({ doneBytes, allBytes }) => [doneBytes, allBytes]),
    [
      [byteCount, 2 * byteCount],
      [Math.floor(1.5 * byteCount), 2 * byteCount],
      [2 * byteCount, 2 * byteCount],
    ],
  )
})
