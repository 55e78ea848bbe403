/** The box and the show that the storms go over: every kind of output, cue and late policy, and fades that are short. */

export const stormConfig = JSON.stringify({
  schemaVersion: 1,
  tour: 'storm',
  box: 'box-1',
  devices: [
    { name: 'lamp-left', driver: 'gpio-light', options: { line: 'light-1' } },
    { name: 'lamp-right', driver: 'gpio-light', options: { line: 'light-2', leadMs: 12 } },
    { name: 'spot', driver: 'pwm-light', options: { output: 'pwm-1' } },
    {
      name: 'wash',
      driver: 'pca9685-light',
      options: { bus: 'header', address: 64, outputEnableLine: 'dimmer-enable' },
    },
    {
      name: 'camera',
      driver: 'capture-trigger',
      options: { shutterLine: 'shutter', focusLine: 'focus', pulseMs: 60, focusLeadMs: 100 },
    },
    { name: 'go', driver: 'button', options: { line: 'go-button' } },
    { name: 'back', driver: 'button', options: { line: 'back-button' } },
    { name: 'panic', driver: 'button', options: { line: 'panic-button', longPressMs: 600 } },
    { name: 'foot', driver: 'button', options: { line: 'footswitch' } },
  ],
  show: { file: 'show.yaml' },
})

export const stormShow = `
apiVersion: show/v1
name: storm
panic: {scene: way-out, fade: 200ms, release: 400ms}
patch:
  left: {kind: switch, out: lamp-left}
  right: {kind: switch, out: lamp-right, home: on}
  spot: {kind: dimmer, out: spot}
  wash: {kind: rgbw, out: "wash#0..7", max: 90%}
  row-1: {kind: dimmer, out: "wash#8..9"}
  row-2: {kind: dimmer, out: "wash#10..11"}
  exit: {kind: dimmer, out: "wash#14", home: 30%}
  camera: {kind: capture, out: camera}
groups:
  lamps: [left, right]
  rows: [row-1, row-2]
  all: [lamps, rows, wash, spot]
scenes:
  house: {rows: 60%, wash: {color: "#ffd9a0", level: 50%}, lamps: off, spot: 20%}
  dark: {all: off}
  stage: {lamps: on, wash: {color: "#ff7a00", level: 80%}, rows: 10%, spot: 100%}
  way-out: {exit: 100%, row-2: 40%}
cues:
  - {id: "1", name: Doors, scene: house, fade: 1500ms, curve: sine, late: join}
  - {id: "2", name: Half, levels: {rows: 30%, spot: 80%}, fade: 800ms, curve: cubic, follow: {wait: 300ms, go: "3"}, late: join}
  - {id: "3", name: Black, scene: dark, fade: {up: 0s, down: 700ms, delay: {rows: 200ms}}, follow: {after: 1200ms, go: "4"}, late: skip}
  - id: "4"
    name: Reveal
    scene: stage
    fade: {up: 900ms, down: 1400ms, delay: {wash: 150ms}}
    curve: quad-out
    late: join
    do:
      - {capture: camera, at: 900ms, count: 3, every: 300ms}
  - id: "5"
    name: Dance
    chase:
      steps:
        - {row-1: 100%, wash: {hue: 20}}
        - {row-2: 100%, wash: {hue: 200}}
        - {spot: 70%, wash: {hue: 320}}
      period: 1200ms
      phase: shared
      fade: 150ms
    fade: 600ms
  - {id: "6", name: Bow, levels: {lamps: on, wash: {color: "#ffffff", level: 90%}, rows: 80%}, fade: 400ms, late: fire}
  - {id: "7", name: Night, levels: {lamps: off, wash: {color: "#203060", level: 40%}, rows: 50%}, fade: {up: 4s, down: 4s}, follow: {after: 5s, go: "1"}, late: fire}
triggers:
  - {on: "go:press", do: next, guard: {holdOff: 300ms}}
  - {on: "back:press", do: back}
  - {on: "back:long-press", do: release}
  - {on: "panic:press", do: panic}
  - {on: "foot:press", do: blackout}
`

/** What panic leaves, by channel of the dimmer and by name for the rest, as a meter on the terminals would show it. */
export const panicDuties: readonly number[] = Array.from({ length: 16 }, (_, channel) =>
  channel === 14 ? 1 : channel === 10 || channel === 11 ? 0.4 ** 2.2 : 0,
)
export const cueIds: readonly string[] = ['1', '2', '3', '4', '5', '6', '7']
export const sceneIds: readonly string[] = ['house', 'dark', 'stage', 'way-out']
export const targets: readonly string[] = [
  ...['left', 'right', 'spot', 'wash', 'row-1', 'row-2', 'exit', 'lamps', 'rows', 'all'],
]
export const buttonLines: readonly string[] = [
  ...['go-button', 'go-button', 'back-button', 'footswitch', 'panic-button'],
]
