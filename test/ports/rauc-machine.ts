/**
 * A real RAUC with a machine of its own: slots that are files, a boot loader that is a script with the variables of U-Boot,
 * a service on a bus of its own, in a mount namespace that ends with it. Bundles are made with `rauc bundle`.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { openLibc } from '../../drivers/linux/libc.js'
import { LinuxRauc, type RaucCommands, usualRauc } from '../../drivers/linux/rauc.js'
import { environment } from '../peers/namespaces.js'
import type { BundleWish, RaucRig } from './rauc.contract.js'

const START_MS_MAX = 10_000
const LOOK_MS = 20

export interface RaucMachine extends RaucRig {
  readonly folder: string
  /** To be asked with other words than usual. */
  readonly commands: RaucCommands
  /** Runs rauc(1) itself, with its own configuration. */
  run(...words: string[]): string
  /** False: its boot loader takes its time, and so does all that asks it. */
  isQuick(isSo: boolean): void
  /** Another service is started, as after a reboot from that slot. */
  boot(bootname: 'A' | 'B'): Promise<void>
  /** As `boot`, into a system whose service does not come up. */
  bootSilently(bootname: 'A' | 'B'): Promise<void>
}

const backend = (folder: string): string => `#!/bin/sh
cd ${folder}/variables
while [ -e slow ]; do sleep 0.05; done
case "$1" in
  get-primary) for one in $(cat order); do [ "$(cat left-$one)" -gt 0 ] && echo $one && exit; done; exit 1;;
  set-primary) echo 3 >left-$2; echo "$2 $(sed "s/$2//" order)" >order;;
  get-state) [ "$(cat left-$2)" -gt 0 ] && echo good || echo bad;;
  set-state) [ "$3" = good ] && echo 3 >left-$2 && exit; sed -i "s/$2//" order; echo 0 >left-$2;;
  *) exit 1;;
esac
`

const config = (folder: string, activates: boolean): string => `[system]
compatible=pi-5
bootloader=custom
mountprefix=${folder}/mount
statusfile=${folder}/slots.status
activate-installed=${activates}
[handlers]
bootloader-custom-backend=${folder}/backend
[keyring]
path=${folder}/studio.pem
${['A', 'B']
  .map(
    (bootname, index) => `[slot.rootfs.${index}]
device=${folder}/rootfs.${index}
type=raw
bootname=${bootname}
[slot.boot.${index}]
device=${folder}/boot.${index}
type=raw
parent=rootfs.${index}
`,
  )
  .join('')}`

const bus = (folder: string): string => `<busconfig><type>system</type>
<listen>unix:path=${folder}/bus</listen><auth>EXTERNAL</auth><policy context="default">
<allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/><allow user="*"/></policy></busconfig>
`

export async function makeRaucMachine(
  t: Test,
  { activates }: { activates: boolean },
): Promise<RaucMachine> {
  // A socket's path has room for 107 bytes.
  const folder = mkdtempSync(join(tmpdir(), 'roadcase-rauc-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const at = (...names: string[]): string => join(folder, ...names)
  for (const name of ['variables', 'mount']) mkdirSync(at(name))
  for (const slot of ['rootfs.0', 'rootfs.1', 'boot.0', 'boot.1'])
    writeFileSync(at(slot), new Uint8Array(slot.startsWith('boot') ? 8_192 : 131_072))
  writeFileSync(at('backend'), backend(folder), { mode: 0o755 })
  writeFileSync(at('system.conf'), config(folder, activates))
  writeFileSync(at('bus.conf'), bus(folder))
  for (const [name, words] of [
    ['order', 'A B'],
    ['left-A', '3'],
    ['left-B', '3'],
  ] as const)
    writeFileSync(at('variables', name), `${words}\n`)
  for (const name of ['studio', 'stranger']) makeKey(folder, name)
  const ours = { ...environment, DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${at('bus')}` }
  const start = (program: string, ...words: string[]): ChildProcess =>
    startChild(t, program, words, ours)
  start('dbus-daemon', `--config-file=${at('bus.conf')}`, '--nofork', '--nopidfile')
  await until(() => existsSync(at('bus')))
  const rauc = ['rauc', `--conf=${at('system.conf')}`] as const
  const run = (...words: string[]): string =>
    execFileSync(rauc[0], [rauc[1], ...words], { env: ours, stdio: 'pipe' }).toString()
  const isServing = (): boolean => {
    try {
      run('status')
      return true
    } catch {
      // Not yet, or not any more.
      return false
    }
  }
  let service: ChildProcess | null = null
  let boots = 0
  const boot = async (bootname: 'A' | 'B'): Promise<void> => {
    writeFileSync(at('boot_id'), `boot-${++boots}\n`)
    writeFileSync(at('cmdline'), `console=ttyS0 root=/dev/mmcblk0p2 rauc.slot=${bootname} quiet\n`)
    service?.kill('SIGKILL')
    await until(() => !isServing())
    const words = ['service', `--override-boot-slot=${bootname}`]
    service = start('unshare', '--mount', ...rauc, ...words)
    await until(isServing)
  }
  const bootSilently = async (bootname: 'A' | 'B'): Promise<void> => {
    await boot(bootname)
    service?.kill('SIGKILL')
    await until(() => !isServing())
  }
  await boot('A')
  const files = { bootIdFile: at('boot_id'), kernelLineFile: at('cmdline') }
  const commands = { ...usualRauc, rauc, environment: ours, ...files, reboot: ['true'] as const }
  return {
    folder,
    commands,
    rauc: new LinuxRauc(commands, await openLibc()),
    bundle: async wish => makeBundle(folder, wish, run),
    isQuick: isSo =>
      isSo ? rmSync(at('variables', 'slow')) : writeFileSync(at('variables', 'slow'), ''),
    run,
    boot,
    bootSilently,
  }
}

function makeKey(folder: string, name: string): void {
  const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  const files = ['-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.pem`)]
  const words = [...made, ...files, '-days', '3650', '-subj', `/CN=${name}`]
  execFileSync('openssl', words, { stdio: 'ignore' })
}

function makeBundle(
  folder: string,
  { compatible, key, images }: BundleWish,
  run: (...words: string[]) => string,
): string {
  const inside = mkdtempSync(join(folder, 'bundle-'))
  const sections = Object.entries(images).map(([slotClass, bytes]) => {
    writeFileSync(join(inside, `${slotClass}.img`), bytes)
    return `[image.${slotClass}]\nfilename=${slotClass}.img\n`
  })
  const head = `[update]\ncompatible=${compatible}\nversion=1\n[bundle]\nformat=plain\n`
  writeFileSync(join(inside, 'manifest.raucm'), [head, ...sections].join(''))
  const signed = ['--cert', '--key'].map((word, index) => {
    const suffix = index === 0 ? 'pem' : 'key'
    return `${word}=${join(folder, `${key}.${suffix}`)}`
  })
  const path = `${inside}.raucb`
  run('bundle', ...signed, `--signing-keyring=${join(folder, `${key}.pem`)}`, inside, path)
  return path
}

function startChild(
  t: Test,
  program: string,
  words: readonly string[],
  env: NodeJS.ProcessEnv,
): ChildProcess {
  const child = spawn(program, words, { env, stdio: 'ignore' })
  t.teardown(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exit = new Promise(resolve => child.once('exit', resolve))
    child.kill('SIGKILL')
    await exit
  })
  return child
}

async function until(isSo: () => boolean): Promise<void> {
  for (let waited = 0; !isSo(); waited += LOOK_MS) {
    if (waited > START_MS_MAX) throw new Error('RAUC does not start')
    await new Promise(resolve => setTimeout(resolve, LOOK_MS))
  }
}

/** Null where a real RAUC can install: it mounts a bundle through a loop device, in a mount namespace of its own. */
export function whyNoRauc(): string | null {
  for (const program of ['rauc', 'mksquashfs', 'dbus-daemon'])
    if (!works('which', program)) return missing(`${program} is not installed`)
  if (process.getuid?.() !== 0) return 'mounting a bundle needs root'
  if (!works('unshare', '--mount', 'true')) return 'the kernel gives no namespaces'
  return works('losetup', '--find') ? null : 'the kernel gives no loop devices'
}

/** In the gate what setup.sh installs is there. */
function missing(why: string): string {
  if (process.env['CI'] !== undefined) throw new Error(why)
  return why
}

function works(program: string, ...words: string[]): boolean {
  try {
    execFileSync(program, words, { stdio: 'ignore', env: environment })
    return true
  } catch {
    // Then it does not.
    return false
  }
}
