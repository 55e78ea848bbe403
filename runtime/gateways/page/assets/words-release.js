/** How releases are told to people. */

const megabytes = bytes =>
  bytes < 1e5 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`

const phases = {
  fetching: 'is being fetched',
  writing: 'is being written',
  waiting: 'waits',
  agreed: 'switches with the other boxes in a moment',
  switching: 'is being started',
  trial: 'has to prove itself',
}

/** That nothing is ordered is another thing than that nobody knows. */
function idleText({ ordered, checked }) {
  if (ordered !== null) return checked === null ? 'as ordered before the start' : 'as ordered'
  return checked?.isFresh ? 'nothing is ordered for this box' : 'what is ordered is not known'
}

/** One sentence on where it stands. */
export function releaseText({ phase, running, candidate, ordered, progress, checked, refused }) {
  if (phase === 'idle' && refused.some(({ digest }) => digest === running?.digest))
    return 'the last resort: it was refused here, and no other slot is whole'
  if (phase === 'idle') return idleText({ ordered, checked })
  const version = candidate?.version ?? running?.version ?? 'a release'
  return withProgress(`${version} ${phases[phase]}`, progress)
}

function withProgress(text, progress) {
  if (progress === null || progress.allBytes === 0) return text
  const percent = Math.floor((100 * progress.doneBytes) / progress.allBytes)
  return `${text}: ${percent} % of ${megabytes(progress.allBytes)}`
}

/** The operating system below, in a sentence; empty where this box updates none, or nothing is to be told. */
export function systemText(os) {
  if ((os ?? null) === null || os.lacking !== null) return ''
  const runs = os.systems?.[os.running]?.version ?? 'as installed'
  if (os.phase === 'idle') return os.trouble ?? `operating system ${runs}`
  const version = os.candidate?.version ?? runs
  // Of a trial all of it: why nobody can judge it, and when it is left.
  const said = { waiting: os.unmet.slice(0, 1), trial: os.unmet }[os.phase] ?? []
  const text = withProgress(`operating system ${version} ${phases[os.phase]}`, os.progress)
  return said.length === 0 ? text : `${text}: ${said.map(({ words }) => words).join('; ')}`
}

/** What lies in each slot, in a sentence each; none on a box without slots. */
export const slotTexts = ({ slots }) =>
  (slots ?? null) === null ? [] : ['a', 'b'].map(name => `slot ${name}: ${slots[name].words}`)

/** What was refused long ago is told, and is no alarm once something newer is ordered and runs. */
export const isBad = ({ trouble, refused, ordered, running }) =>
  trouble !== null ||
  refused.some(({ digest }) => digest === running?.digest || digest === ordered?.digest)

/** What is in the way, what was refused, what went wrong. */
export function waitsFor({ phase, unmet, holds, refused, trouble, os, ordered, checked }) {
  const system = systemText(os)
  const isOnItsWay = phase === 'fetching' || phase === 'writing'
  const isUnexplained = ordered === null && checked !== null && unmet.length === 0
  return [
    ...(isUnexplained ? [checked.words] : []),
    ...unmet.filter(({ name }) => !isOnItsWay || name === 'pieces').map(({ words }) => words),
    ...holds.map(
      ({ owner, reason, leftMinutes }) => `held by ${owner}, ${leftMinutes} min more: ${reason}`,
    ),
    ...refused.map(({ version, why }) => `${version} was refused: ${why}`),
    ...(trouble === null ? [] : [trouble]),
    ...(system === '' ? [] : [system]),
  ]
}

/** Why the box may have fallen silent, by the last that it said; empty where it was not about to. */
export function absenceText(ota) {
  if (ota === null) return ''
  const { os, phase, running, candidate, unmet } = ota
  if (os?.phase === 'switching')
    return `It reboots into operating system ${os.candidate?.version ?? ''}: that takes a minute or two.`
  const before = 'When it fails, the release before is started by itself.'
  if (phase === 'trial') return `Release ${running?.version ?? ''} was on trial: ${before}`
  const isNext = phase === 'waiting' && unmet.length === 0
  if (!isNext && !['writing', 'agreed', 'switching'].includes(phase)) return ''
  return `It was about to start release ${candidate?.version ?? ''}: that takes some ten seconds. ${before}`
}
