/** The power of the publisher's machine fails at every call of its disk; what is left is served as it is. */
import { createHash } from 'node:crypto'
import t, { type Test } from 'tap'
import { SimulatedDisk } from '../../../drivers/simulated/disk.js'
import { SimulatedPublicFolder } from '../../../drivers/simulated/public-folder.js'
import type { Outcome, Publisher } from '../../../ota/publish/publisher.js'
import { publishRelease, removeRelease, setOrder } from '../../../ota/publish/releases.js'
import { verifyRepository } from '../../../ota/publish/verify.js'
import { randomFrom } from '../../../runtime/core/random.js'
import type { PublicFolder } from '../../../runtime/ports/public-folder.js'
import {
  builtRelease,
  Ceremony,
  Client,
  keys,
  madeRepository,
  NOW_MS,
  order,
  rootOf,
} from './publish-world.js'

const CALLS_MAX = 400
const RELEASE = 'releases/x64/1.5.0.json'

interface Deed {
  readonly name: string
  readonly prepare?: (ceremony: Ceremony) => void
  readonly run: (publisher: Publisher, ceremony: Ceremony) => Promise<unknown>
  /** Between the new root and what its keys sign, a client may be turned away, and comes back later. */
  readonly mayTurnAway?: true
}

const rotate =
  (isOldKeyLost: boolean, ...roles: readonly string[]): Deed['run'] =>
  async (publisher, ceremony): Promise<Outcome> => {
    const next = await ceremony.holders(['spare'], 1)
    return publisher.rotate({
      holders: new Map(roles.map(role => [role, next])),
      isOldKeyLost,
      whyWeaker: null,
    })
  }

const deeds: readonly Deed[] = [
  {
    name: 'publishing a release',
    run: async publisher => publishRelease(publisher, await builtRelease('1.6.0', 1000), keys),
  },
  { name: 'an order', run: publisher => setOrder(publisher, keys, order('1.5.0')) },
  { name: 'taking a release back', run: publisher => removeRelease(publisher, '1.4.0', null) },
  { name: 'a refresh', run: publisher => publisher.refresh(true) },
  {
    name: 'other keys for all of root',
    run: rotate(false, 'timestamp', 'snapshot', 'targets', 'root'),
  },
  { name: 'other keys for releases', run: rotate(false, 'releases') },
  {
    name: 'other keys for those that are lost',
    prepare: ceremony => ceremony.lose('server'),
    run: rotate(true, 'timestamp', 'snapshot'),
    mayTurnAway: true,
  },
]

/** Clients are slow; what they said of a state is remembered. */
class Judge {
  readonly #t: Test
  readonly #before: PublicFolder
  readonly #said = new Map<string, string | null>()

  constructor(t: Test, before: PublicFolder) {
    this.#t = t
    this.#before = before
  }

  get stateCount(): number {
    return this.#said.size
  }

  knows(id: string): boolean {
    return this.#said.has(id)
  }

  /** What clients say, one that was just set up and one that knows the state before; null when they are content. */
  async problemOf(folder: PublicFolder): Promise<string | null> {
    const id = await idOf(folder)
    const known = this.#said.get(id)
    if (known !== undefined) return known
    const fresh = new Client(this.#t, await rootOf(folder))
    const old = new Client(this.#t, await rootOf(folder))
    await old.fetch(this.#before, [RELEASE])
    const said = await Promise.all(
      [fresh, old].map(client => client.fetch(folder, [RELEASE])),
    ).then(found => (found.every(([release]) => release) ? null : 'the release is gone'), String)
    this.#said.set(id, said)
    return said
  }
}

for (const deed of deeds)
  t.test(`${deed.name} may be cut off anywhere`, async t => {
    const ceremony = new Ceremony()
    const before = await prepared(ceremony)
    const judge = new Judge(t, before)
    deed.prepare?.(ceremony)
    let cuts = 0
    for (let calls = 1; calls < CALLS_MAX; calls++) {
      const disk = new SimulatedDisk(randomFrom(calls))
      await copy(before, booted(disk))
      const isDone = await cutOff(disk, ceremony, deed, calls)
      if (isDone) break
      cuts++
      const left = booted(disk)
      // What goes on from the same state goes on in the same way.
      if (judge.knows(await idOf(left))) continue
      const problem = await judge.problemOf(left)
      if (problem !== null && deed.mayTurnAway !== true) t.fail(`after ${calls} calls: ${problem}`)
      await deed.run(ceremony.publisher(left), ceremony).catch(error => {
        // A release that is gone is gone.
        if (!/not published/.test(String(error))) t.fail(`again after ${calls} calls: ${error}`)
      })
      t.equal(await judge.problemOf(left), null, `again after ${calls} calls`)
      t.same((await verifyRepository(left, NOW_MS)).problems, [])
    }
    t.ok(cuts > 12, `${cuts} cuts, ${judge.stateCount} states`)
    t.ok(judge.stateCount >= 3, `${judge.stateCount} states`)
  })

async function prepared(ceremony: Ceremony): Promise<PublicFolder> {
  const publisher = await madeRepository(ceremony)
  for (const version of ['1.4.0', '1.5.0'])
    await publishRelease(publisher, await builtRelease(version, 1000), keys)
  return publisher.folder
}

async function copy(from: PublicFolder, to: PublicFolder): Promise<void> {
  for (const top of ['metadata', 'targets'])
    for (const name of await from.list(top)) await to.write(name, from.stream(name))
}

const booted = (disk: SimulatedDisk, callsUntilPowerCut = Number.POSITIVE_INFINITY): PublicFolder =>
  new SimulatedPublicFolder(disk.boot({ callsUntilPowerCut }))

/** @returns whether it came to its end before the cut */
async function cutOff(
  disk: SimulatedDisk,
  ceremony: Ceremony,
  deed: Deed,
  calls: number,
): Promise<boolean> {
  // A boot ends the one before it, which is a cut as well.
  const publisher = ceremony.publisher(booted(disk, calls))
  const cut = new Promise<false>(resolve => disk.powerCut.listen(() => resolve(false)))
  return Promise.race([deed.run(publisher, ceremony).then(() => true), cut])
}

/** What a client can see, but for signatures' bytes. */
async function idOf(folder: PublicFolder): Promise<string> {
  const hash = createHash('sha256')
  for (const top of ['metadata', 'targets'])
    for (const name of await folder.list(top)) {
      const bytes = (await folder.read(name, 2 ** 24)) ?? new Uint8Array()
      hash.update(`${name} ${bytes.length} `).update(bytes)
    }
  return hash.digest('hex')
}
