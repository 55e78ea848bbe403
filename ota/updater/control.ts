/** The updater's side of `roadcase ota`: takes a request, does it, and says how things are then. */
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import { type OtaReply, type OtaRequest, otaRequest } from '../../runtime/core/ota-control.js'
import { check } from '../../runtime/core/schema.js'
import type { HoldWanted } from './holds.js'
import type { Updater } from './updater.js'

export type ControlledUpdater = Pick<
  Updater,
  'state' | 'now' | 'check' | 'apply' | 'rollBack' | 'hold' | 'release' | 'clear'
>

/** For one line of JSON, one answer. Never throws but for a bug. */
export async function answerControl(updater: ControlledUpdater, line: string): Promise<unknown> {
  try {
    const words = await carryOut(updater, check(otaRequest, parse(line), 'request'))
    const { state, criteria } = await updater.now()
    const reply: OtaReply = { state, criteria: criteria.map(one => ({ ...one })), words }
    return { kind: 'done', reply }
  } catch (error) {
    if (!(error instanceof BoxError)) throw error
    return { kind: 'refused', refusal: { code: error.code, message: messageOf(error) } }
  }
}

async function carryOut(updater: ControlledUpdater, request: OtaRequest): Promise<string> {
  switch (request.ask) {
    case 'status':
    case 'why':
      return ''
    case 'check':
      return (await updater.check()).words
    case 'apply':
      await updater.apply(request.force)
      return 'it is taken as soon as nothing is in the way'
    case 'rollback':
      await updater.rollBack(request.reason)
      return 'back to the other release, which is started now'
    case 'hold':
      return hold(updater, request)
    case 'unhold':
      return unhold(updater, request.id)
    case 'clear':
      return clear(updater, request.release)
  }
}

async function hold(
  updater: ControlledUpdater,
  { ask: _, ...wanted }: HoldWanted & { ask: 'hold' },
): Promise<string> {
  return `held back, by the name of ${(await updater.hold(wanted)).id}`
}

async function unhold(updater: ControlledUpdater, id: string): Promise<string> {
  const ended = await updater.release(id)
  if (ended === null) throw new BoxError('ota.refused', `there is no hold ${id}`)
  return `the hold of ${ended.owner} is over: ${ended.reason}`
}

async function clear(updater: ControlledUpdater, wanted: string): Promise<string> {
  const refused = updater.state()?.refused ?? []
  const found = refused.filter(
    ({ digest, version }) => version === wanted || digest.startsWith(wanted),
  )
  const [one] = found
  if (one === undefined || found.length > 1) {
    const known = refused.map(({ version, digest }) => `${version} (${digest.slice(0, 12)})`)
    const which = found.length > 1 ? `${wanted} means several` : `${wanted} was not refused here`
    throw new BoxError('ota.refused', `${which}; refused are: ${known.join(', ') || 'none'}`)
  }
  await updater.clear(one.digest)
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
