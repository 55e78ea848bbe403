import type { Socket } from 'node:net'
import { addressOf } from './listeners.js'

export interface ConnectionLimits {
  readonly totalMax: number
  readonly perAddressMax: number
}

/**
 * Counts sockets over all listeners, from the moment they are accepted until they are closed on our side: a silent one
 * counts, and so does one that was refused. Whoever refuses must close, and not wait for the other side to do it.
 */
export class ConnectionGate {
  readonly #limits: ConnectionLimits
  readonly #onRefused: (address: string, message: string) => void
  readonly #perAddress = new Map<string, number>()
  readonly #sockets = new Set<Socket>()

  constructor(limits: ConnectionLimits, onRefused: (address: string, message: string) => void) {
    this.#limits = limits
    this.#onRefused = onRefused
  }

  /** False when the socket was closed because there are too many. */
  enter(socket: Socket): boolean {
    const address = addressOf(socket)
    const count = this.#perAddress.get(address) ?? 0
    const refusal = this.#refusalFor(address, count)
    if (refusal !== null) {
      socket.destroy()
      this.#onRefused(address, refusal)
      return false
    }
    this.#perAddress.set(address, count + 1)
    this.#sockets.add(socket)
    socket.once('close', () => this.#leave(socket, address))
    return true
  }

  closeAll(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  #refusalFor(address: string, count: number): string | null {
    const { totalMax, perAddressMax } = this.#limits
    if (this.#sockets.size >= totalMax) return `more than ${totalMax} connections`
    return count >= perAddressMax ? `more than ${perAddressMax} connections from ${address}` : null
  }

  #leave(socket: Socket, address: string): void {
    this.#sockets.delete(socket)
    const count = (this.#perAddress.get(address) ?? 1) - 1
    if (count > 0) this.#perAddress.set(address, count)
    else this.#perAddress.delete(address)
  }
}
