/** The USB cable between the box and the lab's printer and serial port, and what is at its far end. */
import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { errnoOf } from '../../drivers/linux/errno.js'
import { assert } from '../../runtime/core/errors.js'
import type { ByteStream } from '../../runtime/ports/host.js'
import { Arrived, type ByteStreamBench } from '../ports/byte-stream.contract.js'
import { labSays, pause, until } from './far-side.js'

const UDC = '/sys/kernel/config/usb_gadget/receipt/UDC'

/** To the kernel, this is a cable that is pulled: the device is gone from the bus. */
export function pullCable(): void {
  if (readFileSync(UDC, 'latin1').trim() !== '') writeFileSync(UDC, '\n')
}

export async function plugCable(): Promise<void> {
  const [controller] = readdirSync('/sys/class/udc')
  assert(controller !== undefined, 'the lab has a USB device controller')
  if (readFileSync(UDC, 'latin1').trim() === '') writeFileSync(UDC, controller)
  const names = ['LAB_USB_PRINTER', 'LAB_USB_PRINTER_FAR', 'LAB_SERIAL', 'LAB_SERIAL_FAR']
  await until(() => names.every(name => existsSync(labSays(name))))
}

/** The gadget's end of the cable: a device file that is read without waiting. */
export class FarEnd {
  readonly arrived = new Arrived()
  readonly #path: string
  readonly #prepare: (path: string) => void
  readonly #buffer = new Uint8Array(8192)
  #fd = -1
  isTaking = true

  /** @param prepare makes the opened file fit for use */
  constructor(path: string, prepare: (path: string) => void) {
    this.#path = path
    this.#prepare = prepare
  }

  /** @returns false while the kernel is still about to plug the cable in: the file is there before its device is */
  open(): boolean {
    try {
      this.#fd = openSync(this.#path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK)
    } catch (error) {
      if (errnoOf(error) === 'ENODEV') return false
      throw error
    }
    this.#prepare(this.#path)
    this.arrived.clear()
    this.isTaking = true
    return true
  }

  close(): void {
    if (this.#fd !== -1) closeSync(this.#fd)
    this.#fd = -1
  }

  read(): void {
    for (let count = -1; this.isTaking && this.#fd !== -1 && count !== 0; ) {
      count = countOf(() => readSync(this.#fd, this.#buffer))
      if (count > 0) this.arrived.push(this.#buffer.slice(0, count))
    }
  }

  /** Until it is heard, or closed. */
  async say(bytes: Uint8Array): Promise<void> {
    for (let said = 0; said < bytes.length && this.#fd !== -1; await pause(1))
      said += countOf(() => writeSync(this.#fd, bytes, said))
  }
}

/** Plugs the cable in, with `far` at its far end. */
export async function plugInto(far: FarEnd): Promise<void> {
  await plugCable()
  await until(() => far.open())
}

/** Nothing can be read or written just now, or nobody is at the other end. */
function countOf(call: () => number): number {
  try {
    return call()
  } catch {
    return 0
  }
}

/** A cable that was plugged in just now. */
export async function cableBench(
  stream: () => ByteStream,
  far: FarEnd,
  { keptBytesMax, isRinsed }: { readonly keptBytesMax: number; readonly isRinsed: boolean },
): Promise<ByteStreamBench> {
  const plug = async (): Promise<void> => {
    await plugInto(far)
    if (isRinsed) await rinse(stream(), far)
  }
  pullCable()
  await plug()
  return {
    stream,
    arrived: () => far.arrived.all(),
    setTaking: isTaking => {
      far.isTaking = isTaking
    },
    say: bytes => far.say(bytes),
    vanish: async () => {
      pullCable()
      far.close()
    },
    comeBack: plug,
    keptBytesMax,
    pass: async () => {
      far.read()
      await pause(2)
    },
    close: async () => far.close(),
  }
}

/** A serial gadget keeps what an earlier cable brought and nobody read, and gives it out with the next byte. */
async function rinse(stream: ByteStream, far: FarEnd): Promise<void> {
  await stream.open()
  await stream.write(Uint8Array.of(0))
  const byteCount = (): number => {
    far.read()
    return far.arrived.all().length
  }
  await until(() => byteCount() > 0)
  for (let before = 0; before !== byteCount(); await pause(20)) before = byteCount()
  await stream.close()
  far.arrived.clear()
}
