/** From outputs to the channels of one device. */
import type { Light } from '../../ports/devices.js'
import { type CheckedShow, type Output, ownOutputs } from './checked-show.js'
import type { Levels } from './levels.js'

/** From here on a lamp that knows only on and off is on. */
export const ON_LEVEL = 0.5

/** One channel of a device, and the component that it shows. */
interface Channel {
  readonly channel: number
  readonly component: number
  readonly isSwitched: boolean
}

/** A light and the outputs that the patch puts on it. */
export interface Binding {
  readonly light: Light
  readonly outputs: readonly Output[]
  readonly channels: readonly Channel[]
  /** Those of the channels that are only on or off. */
  readonly switched: readonly Channel[]
  /** A level for each channel of the light: none. */
  readonly dark: readonly number[]
}

/** One binding per light that the show uses on this box, and the outputs whose light is not there. */
export function bind(
  show: CheckedShow,
  box: string,
  lights: ReadonlyMap<string, Light>,
): { bindings: Binding[]; absent: Output[] } {
  const own = ownOutputs(show, box)
  const bindings = [...new Set(own.map(({ device }) => device))].flatMap(device => {
    const light = lights.get(device)
    return light
      ? [
          bindOne(
            light,
            own.filter(output => output.device === device),
          ),
        ]
      : []
  })
  return { bindings, absent: own.filter(({ device }) => !lights.has(device)) }
}

function bindOne(light: Light, outputs: readonly Output[]): Binding {
  const channels = outputs.flatMap(output => {
    const { first, last } = output.channels ?? { first: 0, last: light.channelCount - 1 }
    const count = Math.min(last, light.channelCount - 1) - first + 1
    return Array.from({ length: Math.max(0, count) }, (_, index) => ({
      channel: first + index,
      component: output.offset + (index % output.componentCount),
      isSwitched: output.kind === 'switch' || !light.isDimmable,
    }))
  })
  // A list that has held a fraction is kept as one of fractions, so that levels are copied into it without conversion.
  const dark = new Array<number>(light.channelCount).fill(0.5).fill(0)
  return {
    light,
    outputs,
    channels,
    switched: channels.filter(channel => channel.isSwitched),
    dark,
  }
}

/** One level per channel of the device; channels that the patch does not name are dark. */
export function channelsOf(binding: Binding, levels: Levels): number[] {
  const found = binding.dark.slice()
  for (const { channel, component, isSwitched } of binding.channels) {
    const level = levels[component] ?? 0
    found[channel] = isSwitched ? Number(level >= ON_LEVEL) : level
  }
  return found
}

/** Which of the switched channels are on. */
export const switchedChannels = (binding: Binding, levels: Levels): boolean[] =>
  binding.switched.map(({ component }) => (levels[component] ?? 0) >= ON_LEVEL)

export const isSwitchedAs = (
  binding: Binding,
  levels: Levels,
  switched: readonly boolean[],
): boolean =>
  binding.switched.every(
    ({ component }, index) => (levels[component] ?? 0) >= ON_LEVEL === switched[index],
  )
