/**
 * What the box keeps over a restart, and in which version of its store: a record of another shape is refused by the runtime
 * before it, as damaged, and with it a ticket. So another shape is another version, which a box does not switch to as long
 * as it has no way back from it (docs/decisions/0079).
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { writtenVersion } from '../../drivers/linux/sqlite-records.js'
import { jsonSchema, object, type Schema, string } from '../../runtime/core/schema.js'
import { ticketDocument } from '../../runtime/core/ticket-document.js'
import { queueRow } from '../../runtime/gateways/broker/offline-queue.js'
import { sessionRow } from '../../runtime/gateways/broker/sessions.js'
import { packetHead } from '../../runtime/gateways/broker/stored-packet.js'
import { operatorSchema } from '../../runtime/operator.js'
import { keptClockSchema } from '../../runtime/services/clock/kept-clock.js'
import { keptDateSchema } from '../../runtime/services/clock/wall/kept-date.js'
import { keptSchema } from '../../runtime/services/power/kept.js'
import { jobRecord, openRow } from '../../runtime/services/printing/job.js'
import { printerRow, spoolRow } from '../../runtime/services/printing/ledger.js'
import { decisionRow, keyRow, serialRow } from '../../runtime/services/printing/spool-tables.js'
import {
  commandRow,
  eventRow,
  fireRow,
  placeRow,
  snapshotRow,
} from '../../runtime/services/show/journal-rows.js'
import { performedRow } from '../../runtime/services/show/performed.js'
import { savedTimelineSchema } from '../../runtime/services/timeline.js'

const stored: Readonly<Record<string, Schema<unknown>>> = {
  'mqtt-packet': packetHead,
  'mqtt-queue': queueRow,
  'mqtt-session': sessionRow,
  power: keptSchema,
  'print-decisions': decisionRow,
  'print-jobs': jobRecord,
  'print-keys': keyRow,
  'print-open': openRow,
  'print-printers': printerRow,
  'print-serials': serialRow,
  'print-spool': spoolRow,
  'print-tickets': ticketDocument,
  'show-commands': commandRow,
  'show-events': eventRow,
  'show-fires': fireRow,
  'show-performed': performedRow,
  'show-place': placeRow,
  'show-state': snapshotRow,
  'operator.json': operatorSchema,
  'oscillator.json': keptClockSchema,
  'timeline.json': savedTimelineSchema,
  'wall.json': keptDateSchema,
}

/** Kept without a schema of its own: packed with a number of its version, made of the ones above, or plain. */
const others = [
  'box',
  'control.json',
  'mqtt-incoming',
  'mqtt-offline',
  'mqtt-retained',
  'mqtt-will',
  'power-history',
  'spool',
  'timecode.json',
]

/** By version of the store. What is here is never edited once released: another version is added. */
const shapes: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  1: {
    'mqtt-packet': 'f8916a40467c',
    'mqtt-queue': '535b2b74f0e3',
    'mqtt-session': 'c81142077b99',
    power: '519aa7ed6873',
    'print-decisions': 'd0baba6efaeb',
    'print-jobs': '26ef8c35ba6d',
    'print-keys': '724ec8b018af',
    'print-open': '57769f61a563',
    'print-printers': '16ced4d087dc',
    'print-serials': 'd6b825bae3a9',
    'print-spool': 'd68e5af960b5',
    'print-tickets': '03c92cd00293',
    'show-commands': '1ade9123d0e1',
    'show-events': 'f50de4e8eb8e',
    'show-fires': 'd6b825bae3a9',
    'show-performed': '6bc84036dd5d',
    'show-place': 'fd65ceb5fe4d',
    'show-state': '55ec67bd96f8',
    'operator.json': 'e493cfa6b160',
    'oscillator.json': 'db3ec3f1bb5c',
    'timeline.json': '45c0ea81ac53',
    'wall.json': '20767e70b004',
  },
}

const digestOf = (schema: Schema<unknown>): string =>
  createHash('sha256')
    .update(JSON.stringify(jsonSchema(schema)))
    .digest('hex')
    .slice(0, 12)

t.test('what is kept has the shapes of the version that the store says it has', async t => {
  const now = Object.fromEntries(
    Object.entries(stored).map(([name, schema]) => [name, digestOf(schema)]),
  )
  t.same(
    now,
    shapes[writtenVersion],
    'another shape is another version: add a step to drivers/linux/sqlite-records.ts, and its shapes here',
  )
})

t.test('another shape has another digest', async t => {
  t.not(digestOf(object({ a: string({ max: 1 }) })), digestOf(object({ a: string({ max: 2 }) })))
})

t.test('nothing is kept that is not listed here', async t => {
  const named =
    /(?:TABLE|FILE|SPOOL|JOBS|OPEN|PRINTERS) = '([\w.-]+)'|(?:records|new Records)\((?:[\w.]+, )?'([\w-]+)'/g
  const files = readdirSync('runtime', { recursive: true, encoding: 'utf8' })
  const found = files
    .filter(file => file.endsWith('.ts'))
    .flatMap(file => [...readFileSync(join('runtime', file), 'utf8').matchAll(named)])
    .map(([, constant, word]) => constant ?? word ?? '')
    .filter(name => name !== 'control.sock')
  t.ok(found.length > 15, `${found.length}`)
  t.same(
    [...new Set(found)].filter(name => !(name in stored) && !others.includes(name)),
    [],
  )
})
