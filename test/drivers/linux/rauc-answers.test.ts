import t from 'tap'
import { parseBundle, parseStatus } from '../../../drivers/linux/rauc-answers.js'

const digest = 'ab'.repeat(32)
/** As version 1.8 of Debian 12 answers, after an installation. */
const old =
  '{"compatible":"pi-5","variant":"","booted":"A","boot_primary":"rootfs.1","slots":[{"rootfs.1":{"class":"rootfs","device":"/dev/b","type":"raw","bootname":"B","state":"inactive","parent":null,"mountpoint":null,"boot_status":"bad","slot_status":{"bundle":{"compatible":"pi-5","version":"1.1.0"},"checksum":{"sha256":"' +
  digest +
  '","size":300000},"installed":{"timestamp":"2026-11-23T05:10:01Z","count":1},"status":"ok"}}},{"boot.0":{"class":"boot","device":"/dev/c","type":"vfat","bootname":null,"state":"active","parent":"rootfs.0","mountpoint":null,"boot_status":null,"slot_status":{"bundle":{"compatible":null}}}}]}'

t.test('slots are told as they are, and what a version adds does no harm', async t => {
  const read = parseStatus(old)
  t.match(read, { compatible: 'pi-5', variant: null, primary: 'rootfs.1' })
  t.same(read?.slots, [
    {
      ...{ name: 'rootfs.1', slotClass: 'rootfs', device: '/dev/b', parent: null },
      ...{ isBootable: true, isBooted: false, isRaw: true },
      content: { kind: 'installed', byteCount: 300_000, sha256: digest },
    },
    {
      ...{ name: 'boot.0', slotClass: 'boot', device: '/dev/c', parent: 'rootfs.0' },
      ...{ isBootable: false, isBooted: false, isRaw: false, content: { kind: 'unsaid' } },
    },
  ])
  const newer = old.replace('"booted"', '"system_version":null,"artifact-repositories":[],"booted"')
  t.same(parseStatus(newer), read)
  t.equal(parseStatus(old.replace('"rootfs.1","slots"', 'null,"slots"'))?.primary, null)
})

t.test('a slot that is pending, has failed, or has no sum is not installed', async t => {
  const kindOf = (from: string, to: string) =>
    parseStatus(old.replace(from, to))?.slots[0]?.content.kind
  t.equal(kindOf('"status":"ok"', '"status":"pending"'), 'broken')
  t.equal(kindOf('"status":"ok"', '"status":"failed"'), 'broken')
  t.equal(kindOf(digest, 'none'), 'unsaid')
  t.equal(kindOf('"size":300000', '"size":"300000"'), 'unsaid')
  t.equal(
    kindOf('"slot_status":{"bundle":{"compatible":"pi-5"', '"other":{"bundle":{"x":""'),
    'unsaid',
  )
})

t.test('what is no answer is none', async t => {
  for (const said of ['', 'null', '[]', '{"compatible":"x"}', old.slice(0, -1)])
    t.equal(parseStatus(said), null, said.slice(0, 20))
  t.equal(parseStatus(old.replace('"class":"rootfs"', '"class":7')), null)
  t.equal(parseStatus(old.replace('{"boot.0":', '{"more":{},"boot.0":')), null)
  t.equal(parseBundle('{"compatible":"x","images":[{"rootfs":{"size":1}}]}'), null)
})

t.test('only what is copied byte for byte can be read back', async t => {
  const image = { variant: null, filename: 'root.img', checksum: digest, size: 9, hooks: [] }
  const isVerbatim = (change: object): boolean | undefined => {
    const images = [{ rootfs: { ...image, adaptive: [], ...change } }]
    return parseBundle(JSON.stringify({ compatible: 'pi-5', images }))?.images[0]?.isVerbatim
  }
  t.equal(isVerbatim({}), true)
  t.equal(isVerbatim({ filename: 'root.ext4' }), true)
  t.equal(isVerbatim({ filename: 'root.tar.xz' }), false)
  t.equal(isVerbatim({ filename: 'root.img.caibx' }), false)
  t.equal(isVerbatim({ filename: 'root.vcdiff' }), false)
  t.equal(isVerbatim({ hooks: ['post-install'] }), false)
  t.equal(isVerbatim({ hooks: undefined }), false)
})
