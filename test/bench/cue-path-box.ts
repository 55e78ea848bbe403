/** The box whose cue path is measured, the same on the simulated board and in the lab. */

export const cuePathConfig = {
  schemaVersion: 1,
  tour: 'bench',
  box: 'box-1',
  devices: [
    { name: 'lamp', driver: 'gpio-light', options: { line: 'light-1' } },
    /** Without debouncing, and with as much as a button has when nothing is said about it. */
    { name: 'go', driver: 'button', options: { line: 'go-button', debounceMs: 0 } },
    { name: 'back', driver: 'button', options: { line: 'back-button' } },
  ],
  show: { file: 'show.yaml' },
}

export const cuePathShow = `
apiVersion: show/v1
name: bench
patch: {lamp: {kind: switch, out: lamp}}
scenes: {lit: {lamp: on}, unlit: {lamp: off}}
cues:
  - {id: "1", scene: lit}
  - {id: "2", scene: unlit}
triggers:
  - {on: "go:press", do: {cue: "1"}, guard: {holdOff: 0}}
  - {on: "go:release", do: {cue: "2"}, guard: {holdOff: 0}}
  - {on: "back:press", do: {cue: "1"}, guard: {holdOff: 0}}
  - {on: "back:release", do: {cue: "2"}, guard: {holdOff: 0}}
`
