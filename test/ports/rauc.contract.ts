/** What every RAUC promises. Each test has a machine of its own, started from rootfs.0, that takes bundles for `pi-5` from `studio`. */
import { createHash } from 'node:crypto'
import type { Test } from 'tap'
import type { Rauc } from '../../runtime/ports/rauc.js'

export interface BundleWish {
  readonly compatible: string
  /** Who has signed it. */
  readonly key: 'studio' | 'stranger'
  readonly images: { readonly rootfs: Uint8Array; readonly boot?: Uint8Array }
}

export interface RaucRig {
  readonly rauc: Rauc
  /** @returns where it is */
  bundle(wish: BundleWish): Promise<string>
}

export type MakeRig = (t: Test) => Promise<RaucRig>

/** No multiple of a sector, so that it is seen who counts bytes. */
const rootfs = new Uint8Array(70_001).fill(7)
const boot = new Uint8Array(4_096).fill(9)
const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const good: BundleWish = { compatible: 'pi-5', key: 'studio', images: { rootfs, boot } }

export function raucContract(t: Test, makeRig: MakeRig): void {
  t.test('two systems are told, and which of them runs', async t => {
    const { rauc } = await makeRig(t)
    const { compatible, variant, primary, slots } = await rauc.status()
    t.same([compatible, variant, primary], ['pi-5', null, 'rootfs.0'])
    t.same(
      [...slots].sort((one, other) => (one.name < other.name ? -1 : 1)),
      (['boot.0', 'boot.1', 'rootfs.0', 'rootfs.1'] as const).map(name => ({
        name,
        slotClass: name.slice(0, -2),
        parent: name.startsWith('boot') ? `rootfs.${name.at(-1)}` : null,
        isBootable: name.startsWith('rootfs'),
        isBooted: name === 'rootfs.0',
        isRaw: true,
        content: { kind: 'unsaid' },
      })),
    )
    t.ok((await rauc.bootId()).length > 0)
    t.match(await rauc.startedFrom(), /\S/)
  })

  t.test('a bundle is looked into, and installed where nothing runs from', async t => {
    const { rauc, bundle } = await makeRig(t)
    const path = await bundle(good)
    const inside = await rauc.inspect(path)
    t.equal(inside.compatible, 'pi-5')
    t.same(
      [...inside.images].sort((one, other) => one.byteCount - other.byteCount),
      [boot, rootfs].map((bytes, index) => ({
        slotClass: index === 0 ? 'boot' : 'rootfs',
        variant: null,
        isVerbatim: true,
        byteCount: bytes.length,
        sha256: sha256Of(bytes),
      })),
    )
    const percents: number[] = []
    await rauc.install(path, percent => percents.push(percent))
    t.equal(percents.at(-1), 100)
    t.same(
      percents.toSorted((one, other) => one - other),
      percents,
      'which only rises',
    )
    for (const { name, content } of (await rauc.status()).slots) {
      const bytes = name.startsWith('boot') ? boot : rootfs
      const installed = { kind: 'installed', byteCount: bytes.length, sha256: sha256Of(bytes) }
      t.same(content, name.endsWith('1') ? installed : { kind: 'unsaid' }, name)
      if (name.endsWith('0')) continue
      t.equal(await rauc.sha256(name, bytes.length), sha256Of(bytes), `${name}, from the medium`)
    }
  })

  t.test(
    'what is not signed by the right one, or for another machine, changes nothing',
    async t => {
      const { rauc, bundle } = await makeRig(t)
      const before = await rauc.status()
      const foreign = await bundle({ ...good, key: 'stranger' })
      await t.rejects(rauc.inspect(foreign), { code: 'os.refused', message: /signature/ })
      await t.rejects(
        rauc.install(foreign, () => {}),
        { code: 'os.refused', message: /signature/ },
      )
      const other = await bundle({ ...good, compatible: 'pi-4' })
      t.equal((await rauc.inspect(other)).compatible, 'pi-4')
      await t.rejects(
        rauc.install(other, () => {}),
        { code: 'os.refused', message: /[Cc]ompatible/ },
      )
      await t.rejects(rauc.inspect('/nothing/there'), { code: 'os.refused' })
      t.same(await rauc.status(), before)
    },
  )

  t.test('marks tell the boot loader what is started', async t => {
    const { rauc } = await makeRig(t)
    await rauc.mark('active', 'rootfs.1')
    t.equal((await rauc.status()).primary, 'rootfs.1')
    await rauc.mark('active', 'rootfs.0')
    await rauc.mark('good', 'rootfs.0')
    t.equal((await rauc.status()).primary, 'rootfs.0')
    await rauc.mark('active', 'rootfs.1')
    await rauc.mark('bad', 'rootfs.1')
    t.equal((await rauc.status()).primary, 'rootfs.0')
    const foreign = rauc.mark('good', 'rootfs.7')
    await t.rejects(foreign, { code: 'os.unsupported', message: /rootfs\.7/ })
    await rauc.reboot()
  })
}
