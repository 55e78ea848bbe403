/**
 * An operating system from the images of an engineer to the partitions of a box: packed, signed and ordered by the commands,
 * believed, fetched, written and started by the parts of the box, on real files in place of devices.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { autobootText } from '../os/os-world.js'
import { quietBox } from '../updater/os-updater-bench.js'
import { quietSlots } from '../updater/updater-bench.js'
import { Card, ordersOf, startBox, system, until, workbench } from './systems-world.js'

t.test('from two images to the partitions of a box, and to the next start', async t => {
  const { folder, workshop, repository } = workbench(t)
  await workshop.opens()
  const images = '--boot @boot.img --root @root.img'
  t.match(
    await workshop.does(
      `release build-os --into @built --system 2.0.0 --board pi-4b ${images} --quality 1`,
    ),
    /2\.0\.0 for pi-4b/,
  )
  t.match(
    await workshop.does('release publish @built'),
    /^the operating system 2\.0\.0 for pi-4b is published/,
  )
  t.match(
    await workshop.does('release order summer --os pi-4b=2.0.0'),
    /summer has ordered the operating system 2\.0\.0 for pi-4b/,
  )
  const card = new Card(join(folder, 'card'))
  const look = await ordersOf(card, repository)
  t.match(look, { order: null, os: { words: 'the operating system 2.0.0 is ordered' } })
  const box = startBox(card, repository)
  await box.hear({ look: async () => look, recall: async () => null }).look()
  const { sha256 = '' } = look.os?.order?.description.images?.root.object ?? {}
  const begun = join(card.home, 'ota/objects', sha256)
  writeFileSync(begun, 'before the start')
  await box.shelf.keepOnly([])
  t.ok(existsSync(begun), 'a release that is fetched first removes nothing of it')
  await until(box, look, () => card.autoboot === autobootText(2, 3))
  await box.stop()
  for (const part of ['boot', 'root'] as const) {
    const written = readFileSync(join(card.folder, `${part}-b`))
    t.equal(Buffer.compare(written.subarray(0, system.bytes[part].length), system.bytes[part]), 0)
  }
  card.start(3, 1)
  const next = startBox(card, repository)
  await until(next, look, () => next.turns.report().systems?.b.kind === 'good')
  t.match(next.turns.report(), {
    running: 'b',
    candidate: null,
    systems: { b: { kind: 'good', version: '2.0.0' } },
  })
  await next.stop()
  t.equal(card.autoboot, autobootText(3, 3), 'for good')
  await workshop.does('release order summer --no-os')
  t.match(await ordersOf(card, repository), { os: { words: 'summer orders no operating system' } })
  t.match(await workshop.does('release remove 2.0.0 --board pi-4b'), /2\.0\.0 is gone/)
})

t.test('a box that updates no system says why, whatever the reason', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'roadcase-systems-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const card = new Card(folder)
  rmSync(join(folder, 'chosen'), { recursive: true })
  for (const [os, why] of [
    [undefined, /^not updated by this box: the firmware does not say/],
    [null, /^not updated by this box: ota.json has no "os"/],
    [{ kind: 'rauc' }, /^not updated by this box: .*rauc/i],
  ] as const) {
    const box = startBox(card, folder, os === undefined ? {} : { os })
    await box.turns.turn({ slots: quietSlots, box: quietBox, look: null })
    t.match(box.turns.report().lacking, why)
    t.equal(box.turns.whyNoAppTrial(), undefined)
    await box.stop()
  }
})
