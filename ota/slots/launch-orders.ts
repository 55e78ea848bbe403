/** How the programs of a release are started, as its `launch.json` says. */
import { BoxError } from '../../runtime/core/errors.js'
import type { SlotDisk } from '../../runtime/ports/slot-disk.js'
import { isFields } from './sealed-lines.js'
import { slotFolder } from './slot-check.js'
import type { SlotName } from './slot-state.js'
import { type ProgramName, programNames } from './supervision.js'

const ORDERS_FILE = 'launch.json'
const ORDERS_BYTES_MAX = 64 * 1024
const WORDS_MAX = 32

export interface LaunchOrders {
  /** Below the slot; null: whatever the launcher runs on. */
  readonly node: string | null
  readonly programs: Readonly<Record<ProgramName, ProgramOrders>>
}

interface ProgramOrders {
  readonly script: string
  readonly nodeArguments: readonly string[]
}

/** @throws BoxError `release.invalid` for one that is not of this format */
export async function readOrders(disk: SlotDisk, slot: SlotName): Promise<LaunchOrders> {
  const bytes = await disk.read(`${slotFolder(slot)}/${ORDERS_FILE}`, ORDERS_BYTES_MAX)
  const orders = bytes && ordersOf(jsonOf(bytes))
  if (!orders)
    throw new BoxError('release.invalid', `${ORDERS_FILE} of slot ${slot} is not of format 1`)
  return orders
}

function ordersOf(value: unknown): LaunchOrders | null {
  if (!isFields(value) || value['format'] !== 1) return null
  const { node } = value
  if (node !== null && !isPath(node)) return null
  const [box, updater] = programNames.map(name => programOf(value[name]))
  return box && updater ? { node, programs: { box, updater } } : null
}

function programOf(value: unknown): ProgramOrders | null {
  if (!isFields(value)) return null
  const { script, nodeArguments } = value
  return isPath(script) && isWords(nodeArguments) ? { script, nodeArguments } : null
}

/** It is in the manifest that was signed: this only keeps a mistake from reaching beyond the slot. */
const isPath = (value: unknown): value is string =>
  typeof value === 'string' &&
  value !== '' &&
  !value.startsWith('/') &&
  !value.split('/').includes('..')

const isWords = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.length <= WORDS_MAX && value.every(one => typeof one === 'string')

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    // Not JSON: then it is not of any format.
    return null
  }
}
