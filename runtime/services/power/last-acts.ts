/** What is done before the machine goes down. Nothing of it may keep it from going down while there is power to do so. */
import { BoxError, messageOf } from '../../core/errors.js'
import { within } from '../../core/lifecycle.js'
import type { Clock } from '../../ports/clock.js'
import type { Gauge } from '../../ports/gauge.js'
import type { Log } from '../../ports/log.js'

const CUT_MS_MAX = 2_000
const KEEP_MS_MAX = 5_000

/** @param written ends when the disk has what is to be kept */
export async function keptInTime(clock: Clock, log: Log, written: Promise<void>): Promise<void> {
  try {
    await within(clock, KEEP_MS_MAX, 'the disk did not take what is to be kept', written)
  } catch (error) {
    if (!(error instanceof BoxError)) throw error
    log.error('power.not-kept', { error: messageOf(error) })
  }
}

/** The boards cut their power some seconds later, where they can. */
export async function cutsArmed(clock: Clock, log: Log, gauges: Iterable<Gauge>): Promise<void> {
  await Promise.all([...gauges].map(gauge => armCut(clock, log, gauge)))
}

async function armCut(clock: Clock, log: Log, gauge: Gauge): Promise<void> {
  try {
    const what = `${gauge.name} did not arm its cut`
    const isArmed = await within(clock, CUT_MS_MAX, what, gauge.cutPower())
    if (isArmed) log.info('power.cut-armed', { gauge: gauge.name })
  } catch (error) {
    if (!(error instanceof BoxError)) throw error
    log.warn('power.cut-failed', { gauge: gauge.name, error: messageOf(error) })
  }
}
