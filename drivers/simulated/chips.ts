/** What sits at an address of a simulated I2C bus, and the simplest such thing. */

/** A chip as the bus sees it: the first byte of a transfer points at a register, the rest is read or written there. */
export interface SimulatedChip {
  /** False: nobody acknowledges the address. */
  isPlugged: boolean
  read(register: number, byteCount: number): Uint8Array
  write(register: number, bytes: Uint8Array): void
}

const REGISTER_COUNT = 256

/** 256 bytes that read back what was written and count on within a transfer, as most small chips do. */
export class RegisterChip implements SimulatedChip {
  isPlugged = true
  readonly registers = new Uint8Array(REGISTER_COUNT)

  read(register: number, byteCount: number): Uint8Array {
    return Uint8Array.from(
      { length: byteCount },
      (_, at) => this.registers[wrap(register + at)] ?? 0,
    )
  }

  write(register: number, bytes: Uint8Array): void {
    for (const [at, byte] of bytes.entries()) this.registers[wrap(register + at)] = byte
  }
}

/**
 * A chip of 16-bit registers, most significant byte first, as TI's and Maxim's gauges have: each register number is a
 * word, and a read runs on within the word only.
 */
export class WordRegisterChip implements SimulatedChip {
  isPlugged = true
  readonly words = new Uint16Array(REGISTER_COUNT)

  read(register: number, byteCount: number): Uint8Array {
    const word = this.words[register] ?? 0
    return Uint8Array.from({ length: byteCount }, (_, at) =>
      at % 2 === 0 ? word >> 8 : word & 0xff,
    )
  }

  write(register: number, bytes: Uint8Array): void {
    this.words[register] = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)
  }
}

const wrap = (register: number): number => register % REGISTER_COUNT
