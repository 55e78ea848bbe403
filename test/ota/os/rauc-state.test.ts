import t from 'tap'
import { nothingKnown, type OsState } from '../../../ota/os/os-state.js'
import { contentProblem, settleRauc, slotImagesOf, viewOf } from '../../../ota/os/rauc-state.js'
import { countReboot } from '../../../ota/os/silent-trial.js'
import type { RaucBundle, RaucSlot, RaucStatus } from '../../../runtime/ports/rauc.js'

const [first, other] = ['ab'.repeat(32), 'cd'.repeat(32)]
const slot = (name: string, wishes: Partial<RaucSlot> = {}): RaucSlot => ({
  ...{ name, slotClass: name.replace(/\.\d$/, ''), parent: null, isBootable: true },
  ...{ isBooted: false, isRaw: true, content: { kind: 'unsaid' } },
  ...wishes,
})
const booted = slot('rootfs.0', { isBooted: true })
const child = (name: string, parent: string): RaucSlot => slot(name, { parent, isBootable: false })
const statusOf = (...slots: RaucSlot[]): RaucStatus => ({
  ...{ compatible: 'pi-5', variant: null, primary: 'rootfs.0', slots },
})
const pair = statusOf(slot('rootfs.1'), booted)

t.test('the two systems are called by the names of their slots, whatever comes first', async t => {
  t.match(viewOf(pair, 'one'), {
    running: 'a',
    primary: 'a',
    places: { a: { slot: 'rootfs.0' }, b: { slot: 'rootfs.1' } },
  })
  t.equal(viewOf({ ...pair, primary: 'rescue.0' }, 'one').primary, null)
})

t.test('what belongs to a system is found however deep it lies', async t => {
  const slots = [child('cache.1', 'app.1'), child('app.1', 'rootfs.1'), child('app.0', 'rootfs.0')]
  const { places } = viewOf(statusOf(...slots, booted, slot('rootfs.1')), 'one')
  t.same(places.b.slots.map(({ name }) => name).sort(), ['app.1', 'cache.1', 'rootfs.1'])
  const circle = [child('app.0', 'app.1'), child('app.1', 'app.0')]
  t.equal(viewOf(statusOf(...circle, booted, slot('rootfs.1')), 'one').places.a.slots.length, 1)
})

t.test('a machine that has not two systems, or runs from neither, is not for us', async t => {
  const bads: [RaucStatus, RegExp][] = [
    [statusOf(slot('rootfs.0'), slot('rootfs.1')), /does not run from one of its slots/],
    [statusOf(booted), /1 slots of the class rootfs/],
    [statusOf(booted, slot('rootfs.1'), slot('rootfs.2')), /3 slots/],
    [
      statusOf(slot('a.0', { isBooted: true, isBootable: false }), slot('a.1'), slot('a.2')),
      /a\.0/,
    ],
  ]
  for (const [status, message] of bads)
    t.throws(() => viewOf(status, 'one'), { code: 'os.unsupported', message })
  const rescue = statusOf(booted, slot('rootfs.1'), slot('rescue.0'))
  t.equal(viewOf(rescue, 'one').running, 'a', 'one of another class is in nobody’s way')
})

t.test('of a bundle the image for this hardware is taken, and only what has a slot', async t => {
  const image = (slotClass: string, variant: string | null, sha256: string) => ({
    ...{ slotClass, variant, isVerbatim: true, byteCount: 9, sha256 },
  })
  const images = [
    image('rootfs', null, first),
    image('rootfs', 'rev-2', other),
    image('fpga', null, first),
  ]
  const bundle: RaucBundle = { compatible: 'pi-5', images }
  const { places } = viewOf(pair, 'one')
  const takenOn = (variant: string | null) => slotImagesOf(bundle, { ...pair, variant }, places.b)
  t.match(takenOn(null), [{ slotClass: 'rootfs', sha256: first }])
  t.match(takenOn('rev-2'), [{ sha256: other }])
  t.match(takenOn('rev-3'), [{ sha256: first }])
  t.equal(takenOn(null).length, 1)
})

t.test(
  'a slot that RAUC has not finished, or filled with something else, is not whole',
  async t => {
    const images = [{ slotClass: 'rootfs', isReadable: true, byteCount: 9, sha256: first }]
    const problemWith = (content: RaucSlot['content']): string | null => {
      const { places } = viewOf(statusOf(booted, slot('rootfs.1', { content })), 'one')
      return contentProblem(images, places.b)
    }
    t.equal(problemWith({ kind: 'installed', byteCount: 9, sha256: first }), null)
    t.match(problemWith({ kind: 'installed', byteCount: 9, sha256: other }), /something else/)
    t.match(problemWith({ kind: 'broken' }), /not finished/)
    t.match(problemWith({ kind: 'unsaid' }), /does not say/)
    const { places } = viewOf(pair, 'one')
    t.match(contentProblem([], places.b), /has not written it/)
    const lacking = images.map(image => ({ ...image, slotClass: 'app' }))
    t.match(contentProblem(lacking, places.b), /has not written it/)
  },
)

t.test('what a card was flashed with is good, and a second look changes nothing', async t => {
  const view = viewOf(pair, 'one')
  const settled = settleRauc(nothingKnown, view)
  t.same(settled.slots, { a: { kind: 'good', image: null }, b: { kind: 'unknown' } })
  t.equal(settleRauc(settled, view), settled)
})

t.test('an old note of RAUC makes nobody else the owner of what was left half-written', async t => {
  const part = { byteCount: 9, sha256: first }
  const slots = [{ slotClass: 'rootfs', isReadable: true, ...part }]
  const image = { digest: first, version: '2.0.0', floor: null, bundle: part, slots }
  const [a, b] = [
    { kind: 'good', image: null },
    { kind: 'writing', image },
  ] as const
  const begun: OsState = { ...nothingKnown, slots: { a, b } }
  const content = { kind: 'installed', byteCount: 9, sha256: other } as const
  const running = slot('rootfs.1', { isBooted: true, content })
  const view = viewOf(statusOf(slot('rootfs.0'), running), 'two')
  const left = countReboot(begun, 'b', 'one', 'RAUC: x')
  t.equal(settleRauc(begun, view).slots.b.kind, 'writing')
  t.equal(settleRauc(left, view).slots.b.kind, 'trial', 'it was left once, and RAUC has come')
})
