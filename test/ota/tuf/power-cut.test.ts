/**
 * Goal: whenever the power goes during a refresh, the box starts, believes nothing older than it has answered for, and
 * the next refresh succeeds. Method: every scenario, cut after the n-th call of the disk, for all n, with unsynced bytes
 * torn and names lost by a seed.
 */
import t from 'tap'
import { SimulatedDisk } from '../../../drivers/simulated/disk.js'
import { SimulatedFiles } from '../../../drivers/simulated/files.js'
import { randomFrom } from '../../../runtime/core/random.js'
import { release, type Scenario, scenarios } from './scenarios.js'
import { pastOf, TrustBench, wordOf } from './trust-bench.js'

const SEED = Number(process.env['SEED'] ?? 1)
/** More calls than any refresh makes: then it was not cut at all, and the sweep is over. */
const CALLS_MAX = 400
const FOR_EVER = { callsUntilPowerCut: Number.POSITIVE_INFINITY }
/** The box answered "believed", and was cut before its search was over. */
const CUT = 'cut'

interface Tally {
  cuts: number
  tornFiles: number
  lostNames: number
  halfway: number
}

async function sweep(
  scenario: Scenario,
  liesAbout: SimulatedDisk['liesAbout'],
): Promise<Tally | string> {
  const tally = { cuts: 0, tornFiles: 0, lostNames: 0, halfway: 0 }
  const bench = new TrustBench()
  const { repository } = bench
  const first = pastOf(repository.files)
  release(repository)
  const before = pastOf(repository.files)
  scenario.change(repository)
  for (let calls = 0; calls < CALLS_MAX; calls++) {
    const disk = new SimulatedDisk(randomFrom(SEED * 1000 + calls))
    disk.liesAbout = liesAbout
    disk.powerCut.listen(({ tornFiles, lostNames }) => {
      tally.tornFiles += tornFiles
      tally.lostNames += lostNames
    })
    const boot = (left: { callsUntilPowerCut: number }): void => {
      bench.files = new SimulatedFiles(disk.boot(left))
    }
    boot(FOR_EVER)
    bench.source = before
    if ((await refreshed(bench)) !== 'believed found') return 'the first refresh failed'
    bench.source = repository
    disk.cutPower()
    boot({ callsUntilPowerCut: calls })
    const dark = new Promise<string>(resolve => {
      const stop = disk.powerCut.listen(() => {
        stop()
        resolve(CUT)
      })
    })
    const during = await Promise.race([dark, refreshed(bench)])
    disk.cutPower()
    boot(FOR_EVER)
    const where = `${scenario.name}, cut after ${calls} calls`
    bench.source = first
    const past = await refreshed(bench).catch(
      (error: unknown) => `does not start: ${String(error)}`,
    )
    if (!/older than seen|not signed as required/.test(past)) return `${where}: the past is ${past}`
    if (!past.includes('older than seen')) tally.halfway++
    bench.source = repository
    const after = await refreshed(bench)
    if (after !== 'believed found') return `${where}: then ${after}`
    if (during !== CUT) return tally
    tally.cuts++
  }
  return `${scenario.name}: no end of it`
}

async function refreshed(bench: TrustBench): Promise<string> {
  const client = await bench.start()
  const word = wordOf(await client.refresh())
  return word === 'believed' ? `${word} ${(await client.find('tours/x')).kind}` : word
}

for (const scenario of scenarios)
  t.test(`${scenario.name}: a cut at any call of the disk does no harm`, async t => {
    const tally = await sweep(scenario, null)
    if (typeof tally === 'string') return void t.fail(`SEED=${SEED} ${tally}`)
    t.ok(tally.cuts > 30, `${tally.cuts} cuts`)
    t.ok(tally.tornFiles > 3 && tally.lostNames > 3, `${JSON.stringify(tally)}`)
  })

/** A file written in place, or lost floors, would do no harm alone: each is made good by the others. */
t.test('a disk that only says that it has synced is found out', async t => {
  const [scenario] = scenarios
  if (scenario === undefined) throw new Error('a scenario')
  const result = await sweep(scenario, 'files')
  t.type(result, 'string', JSON.stringify(result))
})
