import t, { type Test } from 'tap'
import { sealBundle } from '../../drivers/simulated/bundle.js'
import { type RaucOptions, SimulatedRauc } from '../../drivers/simulated/rauc.js'
import { SimulatedSlotDisk } from '../../drivers/simulated/slot-disk.js'
import { type BundleWish, type RaucRig, raucContract } from './rauc.contract.js'

const FOREVER = Number.POSITIVE_INFINITY

function rigOf(wishes: Partial<RaucOptions> = {}): RaucRig & { box: SimulatedRauc } {
  const files = new Map<string, Uint8Array>()
  const box = new SimulatedRauc({
    compatible: 'pi-5',
    activates: true,
    notesPending: true,
    bootChooser: 'counts',
    byteCount: { rootfs: 128 * 1024, boot: 8 * 1024 },
    isStarting: () => true,
    fileAt: path => files.get(path) ?? null,
    ...wishes,
  })
  box.boot()
  return {
    box,
    rauc: box.on(new SimulatedSlotDisk().boot({ callsUntilPowerCut: FOREVER })),
    bundle: async ({ compatible, key, images: { rootfs, boot } }: BundleWish) => {
      const images = [
        { slotClass: 'rootfs', bytes: rootfs },
        ...(boot ? [{ slotClass: 'boot', bytes: boot }] : []),
      ]
      const path = `/bundle-${files.size}`
      files.set(path, sealBundle({ compatible, images }, key))
      return path
    },
  }
}

t.test('a boot loader that counts', async t => {
  raucContract(t, async (_: Test) => rigOf())
})

t.test('what is new is started three times, and then what was before', async t => {
  const { box, rauc } = rigOf()
  await rauc.mark('active', 'rootfs.1')
  t.same(
    [1, 2, 3, 4].map(() => box.boot()),
    ['rootfs.1', 'rootfs.1', 'rootfs.1', 'rootfs.0'],
  )
  await rauc.mark('active', 'rootfs.1')
  t.equal(box.boot(), 'rootfs.1')
  await rauc.mark('good', 'rootfs.1')
  t.same(
    [1, 2, 3].map(() => box.boot()),
    ['rootfs.1', 'rootfs.1', 'rootfs.1'],
  )
  t.equal(box.primary, 'rootfs.0', 'with its last attempt gone')
})

t.test(
  'when no attempt is left all of them are given again, and a dark slot is passed over',
  async t => {
    const { box } = rigOf({ isStarting: slot => slot === 'rootfs.1' })
    for (let boots = 0; boots < 9; boots++) t.equal(box.boot(), 'rootfs.1')
    const dark = rigOf({ isStarting: () => false })
    t.equal(dark.box.boot(), null)
  },
)

t.test('EFI starts what is new once, and what is good for ever', async t => {
  const { box, rauc } = rigOf({ bootChooser: 'once' })
  await rauc.mark('active', 'rootfs.1')
  const home = await rauc.startedFrom()
  t.equal(box.boot(), 'rootfs.1')
  t.not(await rauc.startedFrom(), home, 'the kernel says so')
  t.equal(box.boot(), 'rootfs.0')
  t.equal(await rauc.startedFrom(), home)
  await rauc.mark('good', 'rootfs.1')
  t.same([box.boot(), box.boot()], ['rootfs.1', 'rootfs.1'])
  await rauc.mark('bad', 'rootfs.1')
  t.equal(box.boot(), 'rootfs.0')
})

t.test('a boot loader that counts nothing starts what it was told to', async t => {
  const { box, rauc } = rigOf({ bootChooser: 'stays' })
  await rauc.mark('active', 'rootfs.1')
  t.same(
    [1, 2, 3, 4, 5].map(() => box.boot()),
    Array(5).fill('rootfs.1'),
  )
  await rauc.mark('bad', 'rootfs.1')
  t.equal(box.boot(), 'rootfs.0')
})

t.test(
  'a note of the last image stays while the next one is written, in versions before 1.11',
  async t => {
    for (const notesPending of [false, true]) {
      const { box, rauc, bundle } = rigOf({ notesPending })
      const images = { rootfs: new Uint8Array(9_000).fill(1), boot: new Uint8Array(512) }
      await rauc.install(await bundle({ compatible: 'pi-5', key: 'studio', images }), () => {})
      box.fault = 'no space'
      const next = { ...images, rootfs: new Uint8Array(9_000).fill(2) }
      const path = await bundle({ compatible: 'pi-5', key: 'studio', images: next })
      await t.rejects(
        rauc.install(path, () => {}),
        { code: 'os.refused', message: /no space/ },
      )
      const content = (await rauc.status()).slots.find(({ name }) => name === 'rootfs.1')?.content
      t.equal(content?.kind, notesPending ? 'broken' : 'installed')
    }
  },
)

t.test('who is busy answers nothing', async t => {
  const { box, rauc } = rigOf()
  box.isBusy = true
  await t.rejects(rauc.status(), { code: 'os.refused', message: /at work/ })
  box.isMissing = true
  await t.rejects(rauc.status(), { code: 'os.unsupported' })
  await t.rejects(rauc.mark('good', 'rootfs.0'), { code: 'os.unsupported', message: /answer/ })
  t.ok(await rauc.startedFrom(), 'the kernel does')
})
