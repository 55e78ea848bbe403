/**
 * The only file that reaches the C library, through koffi's prebuilt binding: what node:fs cannot do.
 * Each thread opens its own; calls block the thread that makes them.
 */
import { assert, BoxError, DeviceError } from '../../runtime/core/errors.js'
import { codeOfErrno, errnoName } from './errno.js'

export interface Libc {
  /**
   * ioctl(2) with a structure that the kernel reads and writes in place.
   * @param what names the attempt in the DeviceError that is thrown when it fails
   */
  ioctl(fd: number, request: number, structure: Uint8Array, what: string): void
  /** tcflush(3) with TCOFLUSH: what a terminal has taken and not sent is dropped. On anything else it does nothing. */
  dropOutput(fd: number): void
  /**
   * poll(2). Blocks the calling thread for up to `timeoutMs`: only for threads that have nothing else to do.
   * @param entries `count` structures as in `pollEntry`; their `revents` are filled in
   * @returns how many entries have something to say; 0 after the time-out or a signal
   */
  poll(entries: Uint8Array, count: number, timeoutMs: number): number
  /** eventfd(2), non-blocking: a file descriptor that another thread can write to in order to wake a `poll`. */
  eventfd(): number
  /**
   * Makes the calling thread, and not what it starts, real-time (SCHED_FIFO, see sched(7)).
   * @param priority 1..99
   */
  becomeRealTime(priority: number): void
  /** How much later than asked the kernel may wake the calling thread (PR_SET_TIMERSLACK). Real-time threads have none. */
  setTimerSlack(nanoseconds: number): void
  /** The signal does nothing any more, whoever sends it: signal(2) with SIG_IGN. */
  ignoreSignal(signal: number): void
  /**
   * Locks one byte of an open file against other processes, until every copy of the descriptor is closed or the process
   * is gone: F_OFD_SETLK of fcntl(2). It does not wait. The file must be open for writing; it may be a device.
   * @returns false when another has locked it
   */
  lockByte(fd: number, offset: number): boolean
  /**
   * Writes to a register of a chip as an SMBus block, which every adapter knows: I2C_SLAVE and I2C_SMBUS of
   * <linux/i2c-dev.h>. Blocks until the chip has it or the adapter gives up, a second or so.
   * @param fd of /dev/i2c-N; @param bytes 1..32
   */
  writeI2cBlock(fd: number, address: number, register: number, bytes: Uint8Array): void
  /** The same, and returns the errno name, or null when it was written: for a thread that has no time for exceptions. */
  sendI2cBlock(fd: number, address: number, register: number, bytes: Uint8Array): string | null
  /** syncfs(2): all that was written to the disk of this open file, by whomever, is on it. Blocks until it is. */
  syncFileSystem(fd: number): void
  /**
   * Memory lets go of what it holds of a file, so that it is read from the disk again: POSIX_FADV_DONTNEED. What is not
   * yet on the disk stays.
   */
  dropCache(fd: number): void
}

const TCOFLUSH = 1
const SCHED_FIFO = 1
const SCHED_RESET_ON_FORK = 0x4000_0000
const PR_SET_TIMERSLACK = 29
const EFD_NONBLOCK_CLOEXEC = 0o2004000
const EINTR = 'EINTR'
const POSIX_FADV_DONTNEED = 4
const SIG_IGN = 1
const F_OFD_SETLK = 37
const F_WRLCK = 1
/** `struct flock64` of 64-bit machines and of armhf. On i386 `start` is at 4: Roadcase does not run there. */
const FLOCK = { bytes: 32, type: 0, start: 8, length: 16 } as const
const I2C_SLAVE = 0x0703
const I2C_SMBUS = 0x0720
const I2C_SMBUS_WRITE = 0
const I2C_SMBUS_I2C_BLOCK_DATA = 8
const I2C_SMBUS_BLOCK_MAX = 32

/** @throws BoxError `native.missing` where koffi has no binary for this machine */
export async function openLibc(): Promise<Libc> {
  const { library, lastErrno, smbusStructure } = await loadLibc()
  const ioctl = library.func('int ioctl(int fd, unsigned long request, void *structure)')
  const tcflush = library.func('int tcflush(int fd, int queue)')
  const poll = library.func('int poll(void *entries, unsigned long count, int timeoutMs)')
  const eventfd = library.func('int eventfd(unsigned int start, int flags)')
  const setScheduler = library.func('int sched_setscheduler(int thread, int policy, void *param)')
  const prctl = library.func(
    'int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)',
  )
  const signal = library.func('void *signal(int number, uintptr_t action)')
  const fcntl = library.func('int fcntl64(int fd, int command, void *lock)')
  const syncfs = library.func('int syncfs(int fd)')
  const fadvise = library.func(
    'int posix_fadvise64(int fd, int64_t offset, int64_t length, int advice)',
  )
  const ioctlNumber = library.func('ioctl', 'int', ['int', 'unsigned long', 'unsigned long'])
  const ioctlSmbus = library.func('ioctl', 'int', ['int', 'unsigned long', smbusStructure])
  const sendI2cBlock: Libc['sendI2cBlock'] = (fd, address, register, bytes) => {
    if (ioctlNumber(fd, I2C_SLAVE, address) < 0) return lastErrno()
    const transfer = {
      read_write: I2C_SMBUS_WRITE,
      command: register,
      size: I2C_SMBUS_I2C_BLOCK_DATA,
      data: smbusBlock(bytes),
    }
    return ioctlSmbus(fd, I2C_SMBUS, transfer) < 0 ? lastErrno() : null
  }
  const check = (result: number, what: string): number => {
    if (result >= 0) return result
    const name = lastErrno()
    throw new DeviceError(codeOfErrno(name), `${what}: ${name}`)
  }
  return {
    ioctl: (fd, request, structure, what) => void check(ioctl(fd, request, structure), what),
    dropOutput: fd => void tcflush(fd, TCOFLUSH),
    poll: (entries, count, timeoutMs) => {
      const result: number = poll(entries, count, timeoutMs)
      return result < 0 && lastErrno() === EINTR ? 0 : check(result, 'poll')
    },
    eventfd: () => check(eventfd(0, EFD_NONBLOCK_CLOEXEC), 'eventfd'),
    becomeRealTime: priority => {
      const policy = SCHED_FIFO | SCHED_RESET_ON_FORK
      check(setScheduler(0, policy, Int32Array.of(priority)), 'sched_setscheduler')
    },
    setTimerSlack: nanoseconds =>
      void check(prctl(PR_SET_TIMERSLACK, nanoseconds, 0, 0, 0), 'prctl(PR_SET_TIMERSLACK)'),
    ignoreSignal: number => void signal(number, SIG_IGN),
    lockByte: (fd, offset) => {
      if (fcntl(fd, F_OFD_SETLK, writeLock(offset)) >= 0) return true
      const name = lastErrno()
      // One number with two names.
      if (name === 'EAGAIN' || name === 'EWOULDBLOCK') return false
      throw new DeviceError(codeOfErrno(name), `locking: ${name}`)
    },
    writeI2cBlock: (fd, address, register, bytes) => {
      const name = sendI2cBlock(fd, address, register, bytes)
      if (name === null) return
      throw new DeviceError(codeOfErrno(name), `writing to 0x${address.toString(16)}: ${name}`)
    },
    sendI2cBlock,
    syncFileSystem: fd => void check(syncfs(fd), 'syncfs'),
    // It answers with the number of the error itself; an advice that is not taken does no harm.
    dropCache: fd => void fadvise(fd, 0, 0, POSIX_FADV_DONTNEED),
  }
}

/**
 * `union i2c_smbus_data` for a block: the number of bytes, then the bytes. The kernel copies all 34 bytes of it, however
 * few are meant (`i2cdev_ioctl_smbus` of drivers/i2c/i2c-dev.c).
 */
export function smbusBlock(bytes: Uint8Array): Uint8Array {
  assert(bytes.length >= 1 && bytes.length <= I2C_SMBUS_BLOCK_MAX, 'a block has 1 to 32 bytes')
  const block = new Uint8Array(I2C_SMBUS_BLOCK_MAX + 2)
  block[0] = bytes.length
  block.set(bytes, 1)
  return block
}

function writeLock(offset: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(FLOCK.bytes))
  view.setInt16(FLOCK.type, F_WRLCK, true)
  view.setBigInt64(FLOCK.start, BigInt(offset), true)
  view.setBigInt64(FLOCK.length, 1n, true)
  return new Uint8Array(view.buffer)
}

/** What `openLibc` and libc-sockets.ts are made of. @throws BoxError `native.missing` */
export async function loadLibc() {
  try {
    const { default: koffi } = await import('koffi')
    const part = koffi.struct({ base: 'uint8 *', length: 'size_t' })
    return {
      library: koffi.load('libc.so.6'),
      lastErrno: () => errnoName(koffi.errno()),
      /** `struct msghdr` by reference, written back, with one `struct iovec`. */
      messageHeader: koffi.inout(
        koffi.pointer(
          koffi.struct({
            name: 'uint8 *',
            nameLength: 'uint32',
            parts: koffi.pointer(part),
            partCount: 'size_t',
            control: 'uint8 *',
            controlLength: 'size_t',
            flags: 'int',
          }),
        ),
      ),
      /** `struct i2c_smbus_ioctl_data` by reference; `data` begins with the number of bytes that follow. */
      smbusStructure: koffi.pointer(
        koffi.struct({ read_write: 'uint8', command: 'uint8', size: 'uint32', data: 'uint8 *' }),
      ),
    }
  } catch (cause) {
    throw new BoxError(
      'native.missing',
      `koffi has no binary for ${process.platform}-${process.arch} and node ${process.version}: run "npm ci" on this machine`,
      { cause },
    )
  }
}

const POLL_ENTRY_BYTES = 8
export const PollEvent = { in: 0x01, error: 0x08, hangUp: 0x10, invalid: 0x20 } as const

/** `struct pollfd` entries for `poll`, all waiting for something to read. */
export function pollEntries(fds: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(fds.length * POLL_ENTRY_BYTES))
  for (const [index, fd] of fds.entries()) {
    view.setInt32(index * POLL_ENTRY_BYTES, fd, true)
    view.setInt16(index * POLL_ENTRY_BYTES + 4, PollEvent.in, true)
  }
  return new Uint8Array(view.buffer)
}

/** The `revents` of entry `index` after a `poll`. */
export const pollResult = (entries: Uint8Array, index: number): number =>
  new DataView(entries.buffer, entries.byteOffset).getInt16(index * POLL_ENTRY_BYTES + 6, true)
