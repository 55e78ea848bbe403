import type { Command } from 'commander'
import type { BoxSnapshot } from '../gateways/page/api.js'
import type { CliSetting } from './setting.js'
import type { Row } from './table.js'
import { type Paint, paintFor, printable, writeJson } from './terminal.js'

type VenueState = NonNullable<BoxSnapshot['venue']>
type MemberState = VenueState['members'][number]

export function addVenue(program: Command, setting: CliSetting): void {
  program
    .command('venue')
    .description('show which box leads, and how the others fare as this one hears them')
    .addHelpText('after', '\nExample:\n  $ roadcase venue')
    .action(async () => {
      const { venue } = await setting.link().state()
      if (setting.isJson()) writeJson(setting.terminal, venue)
      else setting.terminal.write(venueText(venue, paintFor(setting.terminal)))
    })
}

/** One row in the status table; none for a box that is alone. */
export function venueRows({ venue }: Pick<BoxSnapshot, 'venue'>, paint: Paint): Row[] {
  if (venue === null) return []
  const there = venue.members.filter(isThere).length
  const text = [
    roleText(venue, paint),
    `${there} of ${venue.members.length} boxes`,
    venue.trouble === null ? null : paint.red(printable(venue.trouble)),
  ]
  return [['Venue', text.filter(part => part !== null).join(', ')]]
}

/** A line for each box, under what concerns them all. */
export function venueText(venue: VenueState | null, paint: Paint): string {
  if (venue === null) return 'This box is alone: box.json names no venue, or it has no show.\n'
  const { forged, replayed, malformed, outOfTurn, flood } = venue.refused
  const refused = forged + replayed + malformed + outOfTurn + flood
  const lines = [
    roleText(venue, paint),
    `epoch ${venue.epoch}, entry ${venue.position}, cues ${Math.round(venue.leadMs)} ms ahead`,
    ...(refused === 0
      ? []
      : [
          `refused: ${forged} forged, ${replayed} replayed, ${malformed} malformed, ${outOfTurn} out of turn, ${flood} too many`,
        ]),
    ...(venue.trouble === null ? [] : [paint.red(printable(venue.trouble))]),
    ...columns([HEADS, ...venue.members.map(member => cells(member, venue.leader))]).map(
      (line, index) => (index === 0 ? paint.dim(line) : line),
    ),
  ]
  return `${lines.join('\n')}\n`
}

function roleText({ role, leader, interface: interfaceName }: VenueState, paint: Paint): string {
  const at = interfaceName === null ? '' : ` on ${interfaceName}`
  if (role === 'leading') return `${paint.green('leading')}${at}`
  if (role === 'following') return `${paint.green('following')} ${leader ?? 'nobody'}${at}`
  return `${paint.yellow(role)}${at}`
}

const HEADS = ['box', 'role', 'heard', 'behind', 'delivery p99', 'notes']

/** Heard within two seconds: it speaks ten times a second. */
const isThere = ({ lastHeardMs }: MemberState): boolean => lastHeardMs < 2_000

function cells(member: MemberState, leader: string | null): readonly string[] {
  const { box, role, lastHeardMs, positionsBehind, deliveryP99Ms, clockApartMs } = member
  const notes = [
    isThere(member) ? null : 'gone',
    member.isSameShow ? null : 'another show',
    member.isProven ? null : 'does not hear this box',
    clockApartMs === 0 ? null : `clock ${clockApartMs} ms apart`,
  ]
  return [
    box === leader ? `${box} *` : box,
    role,
    lastHeardMs < 1_000 ? 'now' : `${Math.round(lastHeardMs / 1000)} s ago`,
    String(positionsBehind),
    `${deliveryP99Ms.toFixed(1)} ms`,
    notes.filter(note => note !== null).join(', '),
  ]
}

function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = HEADS.map((_, column) => Math.max(...rows.map(row => (row[column] ?? '').length)))
  return rows.map(row =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
