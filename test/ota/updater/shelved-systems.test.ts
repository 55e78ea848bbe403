import t from 'tap'
import { LinuxBrotli } from '../../../drivers/linux/brotli.js'
import { SimulatedKeys } from '../../../drivers/simulated/keys.js'
import { SimulatedPieceDisk } from '../../../drivers/simulated/piece-store.js'
import { Shelf } from '../../../ota/fetch/shelf.js'
import { ShelvedSystems } from '../../../ota/updater/shelved-systems.js'
import { BoxError } from '../../../runtime/core/errors.js'
import { FOREVER } from '../os/os-world.js'
import { signedOs } from './os-updater-bench.js'

const second = signedOs('2.0.0')
const own = second.description.images?.root.object.sha256 ?? ''
const ofRelease = 'ab'.repeat(32)
const ofNobody = 'cd'.repeat(32)
const BYTES = 8_192

async function bench() {
  const store = new SimulatedPieceDisk(() => 0).boot({ callsUntilPowerCut: FOREVER })
  for (const sha256 of [own, ofRelease, ofNobody]) {
    const file = await store.open(sha256)
    await file.write(0, new Uint8Array(BYTES))
    await file.close()
  }
  const shelf = new Shelf(store, new SimulatedKeys(() => 0))
  const systems = new ShelvedSystems({
    ...{ shelf, brotli: new LinuxBrotli(), othersWant: () => [ofRelease] },
    fetcher: {
      fetch: async () => {
        throw new BoxError('fetch.unavailable', 'nobody has it')
      },
    },
    freeBytes: async () => 1_000,
    mayUseUplink: () => true,
  })
  const held = async (): Promise<string[]> => (await store.list()).map(({ sha256 }) => sha256)
  return { systems, held }
}

t.test('what has come before a power cut is room for the system itself', async t => {
  const { systems } = await bench()
  t.equal(await systems.roomBytes(), 1_000 + 2 * BYTES, 'what the release wants is none')
})

t.test('after a start the objects of what is ordered stay before anything is begun', async t => {
  const { systems, held } = await bench()
  t.same(systems.wanted, [])
  systems.expect(null)
  systems.expect(second.description)
  t.ok(systems.wanted.includes(own))
  systems.expect(signedOs('2.1.0').description)
  t.ok(systems.wanted.includes(own), 'until the other one is brought')
  await systems.drop()
  t.same(await held(), [ofRelease], 'and when it is not wanted any more, they go')
})
