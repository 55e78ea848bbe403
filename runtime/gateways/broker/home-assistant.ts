/**
 * Home Assistant finds the box by itself: one retained message per box in the device-based form of MQTT discovery
 * (home-assistant.io, "MQTT", "Discovery messages and availability"). Pure: what the box says of itself in, one message
 * out. The commands are the box's own topics, so nothing has to be translated on the way back.
 */
import type { Payload } from '../../topics.js'
import { supplyEntries } from './home-assistant-supplies.js'
import { baseOf } from './tree.js'

export interface Discovery {
  readonly topic: string
  /** Empty removes the device. */
  readonly payload: string
}

type Info = Payload<'box/info'>
type Component = Readonly<Record<string, unknown>>
type Entry = readonly [string, Component]

const buttons = { go: 'GO', back: 'BACK', panic: 'PANIC', release: 'RELEASE' } as const

/** @param prefix `homeassistant`, unless Home Assistant is configured otherwise */
export function discoveryOf(info: Info, prefix: string): Discovery {
  const base = baseOf(info)
  const id = `vb-${info.tour}-${info.box}`
  const entries: readonly Entry[] = [
    ...Object.entries(buttons).map(([key, word]): Entry => [key, buttonOf(base, key, word)]),
    ['cue', cueOf(base)],
    ['lateness', latenessOf(base)],
    ...info.outputs.map((output): Entry => [`light-${output.output}`, lightOf(base, output)]),
    ...info.devices.flatMap(({ device, kind }): Entry[] =>
      kind === 'input' ? [[`input-${device}`, inputOf(base, device)]] : [],
    ),
    ...supplyEntries(base, info),
  ]
  const components = Object.fromEntries(
    entries.map(([key, component]) => [key, { ...component, unique_id: `${id}-${key}` }]),
  )
  return {
    topic: discoveryTopic(info, prefix),
    payload: JSON.stringify({
      device: {
        identifiers: [id],
        name: info.box,
        manufacturer: 'Roadcase',
        model: info.board,
        sw_version: info.version,
      },
      origin: { name: 'roadcase', sw_version: info.version },
      availability: [
        {
          topic: `${base}/availability`,
          value_template: "{{ 'online' if value_json.state == 'ready' else 'offline' }}",
        },
      ],
      qos: 1,
      components,
    }),
  }
}

export const discoveryTopic = (
  { tour, box }: { readonly tour: string; readonly box: string },
  prefix: string,
): string => `${prefix}/device/vb-${tour}-${box}/config`

const buttonOf = (base: string, key: string, word: string): Component => ({
  platform: 'button',
  name: key,
  command_topic: `${base}/cue`,
  payload_press: word,
})

const cueOf = (base: string): Component => ({
  platform: 'sensor',
  name: 'cue',
  state_topic: `${base}/show/state`,
  value_template: "{{ value_json.current or 'none' }}",
})

const latenessOf = (base: string): Component => ({
  platform: 'sensor',
  name: 'lateness',
  state_topic: `${base}/cue/late`,
  value_template: '{{ value_json.p99 | round(2) }}',
  unit_of_measurement: 'ms',
  state_class: 'measurement',
  entity_category: 'diagnostic',
})

/** `on_command_type: brightness` makes ON restore the last level. */
const lightOf = (base: string, { output, kind }: Info['outputs'][number]): Component => ({
  platform: 'light',
  name: output,
  command_topic: `${base}/${output}/set`,
  state_topic: `${base}/${output}/state`,
  state_value_template: "{{ 'ON' if value_json.level > 0 else 'OFF' }}",
  payload_on: 'ON',
  payload_off: 'OFF',
  ...(kind === 'switch'
    ? {}
    : {
        brightness_command_topic: `${base}/${output}/set`,
        brightness_command_template: '{"level": {{ value / 100 }}}',
        brightness_state_topic: `${base}/${output}/state`,
        brightness_value_template: '{{ (value_json.level * 100) | round }}',
        brightness_scale: 100,
        on_command_type: 'brightness',
      }),
})

const inputOf = (base: string, device: string): Component => ({
  platform: 'binary_sensor',
  name: device,
  state_topic: `${base}/input/${device}/changed`,
  value_template: "{{ 'OFF' if value_json.event == 'release' else 'ON' }}",
  payload_on: 'ON',
  payload_off: 'OFF',
})
