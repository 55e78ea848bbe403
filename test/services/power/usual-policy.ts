import { readBoxConfig } from '../../../runtime/config.js'
import type { PowerOptions } from '../../../runtime/services/power/power-options.js'

const config = readBoxConfig({
  schemaVersion: 1,
  tour: 'tour',
  box: 'box',
  power: { packs: [{ name: 'pack', gauge: 'gauge', milliampHours: 1_000 }] },
})
if (config.power === null) throw new Error('there is power in the config')

/** What a box does whose config says nothing of it. */
export const usualPolicy: PowerOptions['policy'] = config.power.policy
