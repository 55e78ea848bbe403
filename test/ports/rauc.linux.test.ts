import { closeSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openLibc } from '../../drivers/linux/libc.js'
import { LinuxRauc, usualRauc } from '../../drivers/linux/rauc.js'
import type { Rauc } from '../../runtime/ports/rauc.js'
import { raucContract } from './rauc.contract.js'
import { makeRaucMachine, whyNoRauc } from './rauc-machine.js'

const libc = await openLibc()
const skip = whyNoRauc() ?? false

t.test('a real RAUC', { skip }, async t => {
  raucContract(t, t => makeRaucMachine(t, { activates: true }))
})

t.test('a real RAUC that does not do what is asked says why', { skip }, async t => {
  const { rauc, bundle, commands, folder, isQuick } = await makeRaucMachine(t, { activates: false })
  const images = { rootfs: new Uint8Array(9_000).fill(1) }
  const path = await bundle({ compatible: 'pi-5', key: 'studio', images })
  const held = openSync(path, 'r+')
  await t.rejects(
    rauc.install(path, () => {}),
    { code: 'os.refused', message: /exclusive bundle access/ },
    'somebody may still write to it, such as a store that gives it to others',
  )
  closeSync(held)
  isQuick(false)
  const hasty = new LinuxRauc({ ...commands, installMsMax: 400 }, libc)
  await t.rejects(
    hasty.install(path, () => {}),
    { code: 'os.refused', message: /not done after 400 ms/ },
  )
  await t.rejects(rauc.status(), { code: 'os.refused', message: /at work/ }, 'it cannot be stopped')
  await t.rejects(
    rauc.install(path, () => {}),
    { code: 'os.refused', message: /at work/ },
  )
  isQuick(true)
  await t.resolves(untilIdle(rauc))
  const { primary, slots } = await rauc.status()
  t.equal(primary, 'rootfs.0', 'it was told not to make it active')
  t.equal(slots.find(({ name }) => name === 'rootfs.1')?.content.kind, 'installed')
  const deaf = { ...commands.environment, DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${folder}/none` }
  const alone = new LinuxRauc({ ...commands, environment: deaf }, libc)
  await t.rejects(alone.status(), { code: 'os.unsupported', message: /connect/ })
})

async function untilIdle(rauc: Rauc): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const isBusy = await rauc.status().then(
      () => false,
      () => true,
    )
    if (!isBusy) return
  }
  throw new Error('it stays busy')
}

t.test('the kernel is asked for the words by which RAUC knows a slot', async t => {
  const folder = t.testdir()
  const kernelLineFile = join(folder, 'cmdline')
  const rauc = new LinuxRauc({ ...usualRauc, environment: {}, kernelLineFile }, libc)
  t.equal(await rauc.startedFrom(), null, 'there is no line')
  for (const [line, said] of [
    ['console=tty1 root=PARTUUID=1f-02 rootwait  rauc.slot=A\n', 'rauc.slot=A'],
    ['bootstate.active=b root=/dev/dm-0', 'bootstate.active=b'],
    ['root=/dev/dm-0 systemd.verity_root_data=/dev/sda2', null],
    ['bootchooser.active=system0 quiet noroot=1', 'bootchooser.active=system0'],
    ['quiet root= fsck.mode=skip', ''],
    [`root=${'x'.repeat(600)}`, ''],
  ] as const) {
    writeFileSync(kernelLineFile, line)
    t.equal(await rauc.startedFrom(), said === '' ? null : (said ?? line), line.slice(0, 60))
  }
  for (const line of ['rauc.slot=A root=/dev/sda1 rauc.external', 'root=/dev/nfs nfsroot=/x']) {
    writeFileSync(kernelLineFile, line)
    await t.rejects(rauc.startedFrom(), { code: 'os.unsupported', message: /none of its slots/ })
  }
  const real = new LinuxRauc({ ...usualRauc, environment: {} }, libc)
  await t.resolves(real.startedFrom(), 'of this machine')
})

t.test('a machine without RAUC, or with one that hangs or babbles, is said to be one', async t => {
  const environment = process.env
  const of = (...rauc: [string, ...string[]]) =>
    new LinuxRauc({ ...usualRauc, rauc, environment, askMsMax: 300, reboot: ['false'] }, libc)
  const none = of('roadcase-no-such-program')
  await t.rejects(none.status(), { code: 'os.unsupported', message: /is not installed/ })
  await t.rejects(
    none.install('/x', () => {}),
    { code: 'os.refused', message: /is not installed/ },
  )
  await t.rejects(none.reboot(), { code: 'power.refused' })
  const folder = t.testdir()
  const script = join(folder, 'hang')
  writeFileSync(script, '#!/bin/sh\nexec sleep 20\n', { mode: 0o755 })
  await t.rejects(of(script).status(), { code: 'os.unsupported', message: /no answer for 300 ms/ })
  await t.rejects(of('echo').status(), { code: 'os.unsupported', message: /cannot be read/ })
  await t.rejects(of('echo').inspect('/x'), { code: 'os.refused', message: /cannot be read/ })
  await t.rejects(of('true').sha256('rootfs.1', 1), { code: 'os.unsupported' })
})
