/** What every firmware promises. Each test has one of its own, started from partition 2 without a wish. */
import type { Test } from 'tap'
import type { Firmware } from '../../runtime/ports/firmware.js'

export type MakeFirmware = (t: Test, autoboot: Uint8Array | null) => Firmware

const words = new TextEncoder().encode('boot_partition=2\n')

export function firmwareContract(t: Test, makeFirmware: MakeFirmware): void {
  t.test('what was booted is told', async t => {
    const { bootId, ...rest } = await makeFirmware(t, words).booted()
    t.same(rest, { partition: 2, hasTrialFlag: false })
    t.ok(bootId.length > 0)
  })

  t.test('bytes are changed where they are, and nothing else', async t => {
    const firmware = makeFirmware(t, words)
    t.same(await firmware.readAutoboot(), words)
    await firmware.overwriteAutoboot(15, Uint8Array.of(0x33))
    const changed = new TextDecoder().decode((await firmware.readAutoboot()) ?? undefined)
    t.equal(changed, 'boot_partition=3\n')
    await t.rejects(firmware.overwriteAutoboot(17, Uint8Array.of(0x33)), { code: 'storage.io' })
    t.equal((await firmware.readAutoboot())?.length, words.length)
  })

  t.test('without autoboot.txt there is nothing to read, and nothing is made', async t => {
    const firmware = makeFirmware(t, null)
    t.equal(await firmware.readAutoboot(), null)
    await t.rejects(firmware.overwriteAutoboot(0, Uint8Array.of(1)), { code: 'storage.io' })
    t.equal(await firmware.readAutoboot(), null)
  })

  t.test('a reboot that is taken resolves', async t => {
    const firmware = makeFirmware(t, words)
    await firmware.rebootOnTrial()
    await firmware.reboot()
  })
}
