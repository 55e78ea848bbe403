/** What the sensors of a simulated printer see, and how it says so: bits of DLE EOT and of the automatic status. */

export interface Sensors {
  readonly isCoverOpen: boolean
  readonly isPaperEnd: boolean
  readonly isPaperNearEnd: boolean
  readonly isCutterJammed: boolean
  readonly isBroken: boolean
  readonly isHot: boolean
  readonly isDrawerHigh: boolean
}

export const isReady = (sensors: Sensors): boolean =>
  !sensors.isCoverOpen &&
  !sensors.isPaperEnd &&
  !sensors.isCutterJammed &&
  !sensors.isBroken &&
  !sensors.isHot

const bits = (...pairs: readonly (readonly [isOn: boolean, mask: number])[]): number =>
  pairs.reduce((sum, [isOn, mask]) => sum | (isOn ? mask : 0), 0)

const hasError = ({ isCutterJammed, isBroken, isHot }: Sensors): boolean =>
  isCutterJammed || isBroken || isHot

const errorBits = (sensors: Sensors): number =>
  bits([sensors.isCutterJammed, 0x08], [sensors.isBroken, 0x20], [sensors.isHot, 0x40])

/** The answer to DLE EOT n; null where there is none. */
export function realTimeAnswer(n: number, sensors: Sensors): number | null {
  const { isCoverOpen, isPaperEnd, isPaperNearEnd, isDrawerHigh } = sensors
  const answers: Readonly<Record<number, number>> = {
    1: bits([isDrawerHigh, 0x04], [!isReady(sensors), 0x08]),
    2: bits([isCoverOpen, 0x04], [isPaperEnd, 0x20], [hasError(sensors), 0x40]),
    3: errorBits(sensors),
    4: bits([isPaperNearEnd, 0x0c], [isPaperEnd, 0x60]),
  }
  const answer = answers[n]
  return answer === undefined ? null : 0x12 | answer
}

export const automaticStatusOf = (sensors: Sensors): Uint8Array =>
  Uint8Array.of(
    0x10 |
      bits([sensors.isDrawerHigh, 0x04], [!isReady(sensors), 0x08], [sensors.isCoverOpen, 0x20]),
    errorBits(sensors),
    bits([sensors.isPaperNearEnd, 0x03], [sensors.isPaperEnd, 0x0c]),
    0,
  )

/** The answer to GS r 1. */
export const statusInTurnOf = ({ isPaperNearEnd }: Sensors): number => bits([isPaperNearEnd, 0x03])
