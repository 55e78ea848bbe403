/** Releases as people read of them. */
import type { OtaReply } from '../core/ota-control.js'
import { type Row, table } from './table.js'
import { type Paint, printable } from './terminal.js'

type State = OtaReply['state']
type Told = NonNullable<State>

const SHORT_DIGEST = 12

export function stateText(state: State, paint: Paint): string {
  if (state === null) return 'The updater has only just started.\n'
  const rows: Row[] = [
    ['Runs', releaseText(state.running) + (state.slot === null ? '' : `, slot ${state.slot}`)],
    ['Ordered', orderedText(state)],
    ['Now', isLastResort(state) ? paint.red(lastResortText(state)) : phaseText(state, paint)],
    ['Back to', releaseText(state.previous)],
    ...slotRows(state, paint),
    ['Floor', state.floor ?? '–'],
    ['Checked', checkedText(state)],
  ]
  const more: Row[] = [
    ...state.unmet.map(({ words }): Row => ['Waits for', printable(words)]),
    ...state.holds.map(
      ({ id, owner, reason, leftMinutes }): Row => [
        `Hold ${id}`,
        printable(`${owner}: ${reason}, ${spanText(leftMinutes)} more`),
      ],
    ),
    ...state.refused.map(
      ({ version, digest, why }): Row => [
        'Refused',
        printable(`${version} (${digest.slice(0, SHORT_DIGEST)}): ${why}`),
      ],
    ),
    ...systemRows(state.os, paint),
    ...(state.trouble === null ? [] : [['Trouble', paint.red(printable(state.trouble))] as const]),
  ]
  return table([...rows, ...more], paint)
}

/** What lies in each, and whether it is whole. */
function slotRows({ slots }: Told, paint: Paint): Row[] {
  if (slots === null) return []
  return (['a', 'b'] as const).map((name): Row => {
    const { damage, words } = slots[name]
    return [`Slot ${name}`, damage === null ? printable(words) : paint.red(printable(words))]
  })
}

/** The operating systems below, in a line, and what the one that is ordered waits for. */
function systemRows(os: Told['os'], paint: Paint): Row[] {
  if (os === null) return []
  if (os.lacking !== null) return [['OS', printable(os.lacking)]]
  const unmet = os.phase === 'waiting' || os.phase === 'trial' ? os.unmet : []
  return [
    ['OS', systemsText(os, paint)],
    ...unmet.map(({ words }): Row => ['OS waits for', printable(words)]),
    ...os.refused.map(
      ({ version, digest, why }): Row => [
        'OS refused',
        printable(`${version} (${digest.slice(0, SHORT_DIGEST)}): ${why}`),
      ],
    ),
    ...(os.trouble === null ? [] : [['OS trouble', paint.red(printable(os.trouble))] as const]),
  ]
}

function systemsText(os: NonNullable<Told['os']>, paint: Paint): string {
  const { systems, running, candidate } = os
  if (systems === null || running === null) return 'not known yet'
  const other = running === 'a' ? 'b' : 'a'
  const known = ({ version }: { version: string | null }): string => version ?? 'as installed'
  const beside =
    systems[other].kind === 'unknown'
      ? `${other}: empty`
      : `${other}: ${known(systems[other])} ${systems[other].kind}`
  const ordered = candidate === null ? [] : [`${candidate.version} is ordered`]
  const now = os.phase === 'idle' ? [] : [phaseText({ ...os, trouble: null }, paint)]
  return [`runs ${running}: ${known(systems[running])}`, beside, ...ordered, ...now].join('; ')
}

/** Those of the operating system after those of the release, by names of their own. */
export const everyCriterion = ({ criteria, systemCriteria }: OtaReply): OtaReply['criteria'] => [
  ...criteria,
  ...systemCriteria.map(one => ({ ...one, name: `os-${one.name}` })),
]

/** Every criterion in a line, met or not. */
export function criteriaText(reply: OtaReply, paint: Paint): string {
  const lines = everyCriterion(reply).map(one => criterionLine(one, paint))
  const venue = (reply.state?.unmet ?? [])
    .filter(({ name, step }) => name === 'venue' || step === 'trial')
    .map(({ name, words }) => `${paint.red('no ')}  ${name.padEnd(14)}  ${printable(words)}`)
  const trouble = reply.state?.trouble ?? null
  const last =
    trouble === null ? [] : [`${paint.red('no ')}  ${'trouble'.padEnd(14)}  ${printable(trouble)}`]
  return `${[...lines, ...venue, ...last].join('\n')}\n`
}

function criterionLine({ isMet, name, words }: OtaReply['criteria'][number], paint: Paint): string {
  const mark = isMet ? paint.green('yes') : paint.red('no ')
  return `${mark}  ${name.padEnd(14)}  ${printable(words)}`
}

/** One line on how far it is. */
export function progressText(state: State, paint: Paint): string {
  if (state === null) return 'the updater has only just started'
  const waits =
    state.unmet.map(({ words }) => printable(words)).join('; ') ||
    'nothing is in its way, and it is not taken; see the log of the updater'
  const version = state.candidate?.version ?? state.running?.version ?? ''
  if (state.phase === 'waiting') return `${version} ${paint.yellow('waits')}: ${waits}`
  if (state.phase === 'idle') return `${version} runs`
  return `${version} ${phaseText(state, paint)}`
}

/** As `progressText`, of the operating system; null where none is updated, or nobody knows of one. */
export function systemProgressText(os: Told['os'], paint: Paint): string | null {
  if (os === null || os.lacking !== null || os.systems === null || os.running === null) return null
  const version = os.candidate?.version ?? os.systems[os.running].version ?? 'as installed'
  const name = `operating system ${version}`
  if (os.phase === 'idle') return `${name} runs`
  if (os.phase === 'switching') return `${name} is started: the box reboots`
  if (os.phase !== 'waiting') return `${name} ${phaseText({ ...os, trouble: null }, paint)}`
  // That it is not written yet says nothing of why.
  const unmet = os.unmet.filter(one => one.name !== 'written').map(({ words }) => words)
  const waits = os.trouble === null ? unmet : [...unmet, os.trouble]
  return `${name} ${paint.yellow('waits')}: ${waits.map(printable).join('; ')}`
}

function phaseText(
  { phase, progress, trouble }: Pick<Told, 'phase' | 'progress' | 'trouble'>,
  paint: Paint,
): string {
  if (phase === 'waiting') return paint.yellow('waiting')
  if (phase === 'idle') return trouble === null ? paint.green('nothing to do') : 'nothing to do'
  if (progress === null || progress.allBytes === 0) return phase
  const percent = Math.floor((100 * progress.doneBytes) / progress.allBytes)
  const { uplinkBytes, peerBytes, stickBytes } = progress
  const from = [
    uplinkBytes > 0 ? `uplink ${megabytes(uplinkBytes)}` : null,
    peerBytes > 0 ? `other boxes ${megabytes(peerBytes)}` : null,
    stickBytes > 0 ? `stick ${megabytes(stickBytes)}` : null,
  ].filter(part => part !== null)
  const sources = from.length === 0 ? '' : ` (${from.join(', ')})`
  return `${phase} ${percent} % of ${megabytes(progress.allBytes)}${sources}`
}

/** It has failed here, and was started all the same: light by a doubtful release, and not none. */
const isLastResort = ({ phase, running, refused }: Told): boolean =>
  phase === 'idle' && refused.some(({ digest }) => digest === running?.digest)

const lastResortText = ({ running }: Told): string =>
  `the last resort: ${running?.version} was refused here, and no other slot is whole. Order another release, put a stick in, or "roadcase ota clear ${running?.version}" to try it again`

const releaseText = (release: Told['running']): string =>
  release === null ? '–' : `${release.version} (${release.digest.slice(0, SHORT_DIGEST)})`

/** That nothing is ordered is another thing than that nobody knows. */
function orderedText({ candidate, ordered, checked }: Told): string {
  if (candidate !== null) return releaseText(candidate)
  if (ordered !== null) return `${ordered.version}, which runs`
  if (checked === null) return 'not known'
  return checked.isFresh ? 'nothing for this box' : 'nothing that counts now: see "Checked"'
}

function checkedText({ checked, unmet }: Told): string {
  if (checked === null) return 'not since the updater started'
  if (unmet.some(({ name }) => name === 'time'))
    return printable(`at a date that the box does not know: ${checked.words}`)
  // biome-ignore lint/style/noRestrictedGlobals: writes a moment that is given, and asks no clock
  const at = new Date(checked.wallMs).toISOString().slice(0, 16).replace('T', ' ')
  return printable(`${at} UTC: ${checked.words}`)
}

const spanText = (minutes: number): string => `${Math.floor(minutes / 60)} h ${minutes % 60} min`

const megabytes = (bytes: number): string =>
  bytes < 1e5 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`
