/** Which light shows the beats: one of this box's, and none of the show's. */
import type { BoxConfig } from './config.js'
import { ConfigError } from './core/errors.js'
import { suggestionOrAll } from './core/nearest.js'
import type { Fitted } from './fitting.js'
import type { Light } from './ports/devices.js'
import { type CheckedShow, ownOutputs } from './services/show/checked-show.js'

/**
 * @returns null where no light shows them
 * @throws ConfigError for a name that is none of a light, or of a light that the show uses
 */
export function tempoLamp(
  { tempo: { lamp: name }, box }: BoxConfig,
  fitted: readonly Fitted[],
  show: CheckedShow | null,
): Light | null {
  if (name === null) return null
  const lights = fitted.flatMap(part => (part.kind === 'light' ? [part.device] : []))
  const lamp = lights.find(light => light.name === name)
  const names = lights.map(light => light.name)
  if (lamp === undefined)
    throw wrong(`names ${name}, which is no light of this box${suggestionOrAll(name, names)}`)
  const output = show && ownOutputs(show, box).find(({ device }) => device === name)
  if (output) throw wrong(`names ${name}, which the show uses for its output ${output.name}`)
  return lamp
}

const wrong = (message: string): ConfigError =>
  new ConfigError([{ path: 'box.tempo.lamp', message, place: null }])
