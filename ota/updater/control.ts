/** The updater's side of `roadcase ota`: takes a request, does it, and says how things are then. */
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import { type OtaReply, type OtaRequest, otaRequest } from '../../runtime/core/ota-control.js'
import { check } from '../../runtime/core/schema.js'
import type { Criterion } from './criteria.js'
import type { HoldWanted } from './holds.js'
import type { OsUpdater } from './os-updater.js'
import type { Updater } from './updater.js'

export type ControlledUpdater = Pick<
  Updater,
  'state' | 'now' | 'check' | 'apply' | 'rollBack' | 'hold' | 'release' | 'clear'
>

export type ControlledSystems = Pick<
  OsUpdater,
  'why' | 'apply' | 'rollBack' | 'clear' | 'unforce' | 'report'
>

/** @param systems null where no operating system is updated; for one line of JSON, one answer. Never throws but for a bug */
export async function answerControl(
  updater: ControlledUpdater,
  line: string,
  systems: ControlledSystems | null = null,
): Promise<unknown> {
  try {
    const words = await carryOut(updater, systems, check(otaRequest, parse(line), 'request'))
    const { state, criteria } = await updater.now()
    const copied = (ones: readonly Criterion[]) => ones.map(one => ({ ...one }))
    const systemCriteria = copied(systems?.why() ?? [])
    const reply: OtaReply = { state, criteria: copied(criteria), systemCriteria, words }
    return { kind: 'done', reply }
  } catch (error) {
    if (!(error instanceof BoxError)) throw error
    return { kind: 'refused', refusal: { code: error.code, message: messageOf(error) } }
  }
}

async function carryOut(
  updater: ControlledUpdater,
  systems: ControlledSystems | null,
  request: OtaRequest,
): Promise<string> {
  switch (request.ask) {
    case 'status':
    case 'why':
      return ''
    case 'check':
      return (await updater.check()).words
    case 'apply':
      return apply(updater, systems, request.force)
    case 'rollback':
      await updater.rollBack(request.reason)
      return 'back to the other release, which is started now'
    case 'rollback-os':
      if (systems === null) throw refusal(updater.state()?.os?.lacking ?? 'there is nothing yet')
      return systems.rollBack(request.reason)
    case 'hold':
      await systems?.unforce()
      return hold(updater, request)
    case 'unhold':
      return unhold(updater, request.id)
    case 'clear':
      return clear(updater, systems, request.release)
  }
}

/** What is ordered and does not run: the release, the operating system, or both. */
async function apply(
  updater: ControlledUpdater,
  systems: ControlledSystems | null,
  force: Parameters<Updater['apply']>[0],
): Promise<string> {
  const isSystem = (await systems?.apply(force)) ?? false
  try {
    // Who says "take it" has heard of something new.
    if (updater.state()?.candidate === null) await updater.check()
    await updater.apply(force)
  } catch (error) {
    // That no release is ordered is no reason against a system that is.
    if (!isSystem || !(error instanceof BoxError)) throw error
  }
  return 'it is taken as soon as nothing is in the way'
}

async function hold(
  updater: ControlledUpdater,
  { ask: _, ...wanted }: HoldWanted & { ask: 'hold' },
): Promise<string> {
  return `held back, by the name of ${(await updater.hold(wanted)).id}`
}

async function unhold(updater: ControlledUpdater, id: string): Promise<string> {
  const ended = await updater.release(id)
  if (ended === null) throw refusal(`there is no hold ${id}`)
  return `the hold of ${ended.owner} is over: ${ended.reason}`
}

async function clear(
  updater: ControlledUpdater,
  systems: ControlledSystems | null,
  wanted: string,
): Promise<string> {
  // As of now: after a start, a person may ask before the first turn has told anything.
  const releases = (await updater.now()).state.refused
  const refused = [...releases, ...(systems?.report().refused ?? [])]
  const found = refused.filter(
    ({ digest, version }) => version === wanted || digest.startsWith(wanted),
  )
  const [one] = found
  if (one === undefined || found.length > 1) {
    const known = refused.map(({ version, digest }) => `${version} (${digest.slice(0, 12)})`)
    const which = found.length > 1 ? `${wanted} means several` : `${wanted} was not refused here`
    throw refusal(`${which}; refused are: ${known.join(', ') || 'none'}`)
  }
  const isRelease = releases.includes(one)
  await (isRelease ? updater.clear(one.digest) : systems?.clear(one.digest))
  return `${one.version} may be tried again`
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    // Then it is no request of ours, and the schema says so.
    return null
  }
}

const refusal = (why: string): BoxError => new BoxError('ota.refused', why)
