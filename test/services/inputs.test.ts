import t from 'tap'
import { SimulatedClock } from '../../drivers/simulated/clock.js'
import { Bus } from '../../runtime/core/bus.js'
import { Signal } from '../../runtime/core/signal.js'
import type { Input, InputEvent } from '../../runtime/ports/devices.js'
import { type Chord, Inputs } from '../../runtime/services/inputs.js'
import type { Messages } from '../../runtime/topics.js'

class Finger implements Input {
  readonly name: string
  readonly #events = new Signal<InputEvent>()
  readonly #clock: SimulatedClock

  constructor(clock: SimulatedClock, name: string) {
    this.#clock = clock
    this.name = name
  }

  does(kind: InputEvent['kind']): void {
    this.#events.emit({ kind, at: this.#clock.monotonicMs(), source: 'kernel' })
  }

  onEvent(listener: (event: InputEvent) => void): () => void {
    return this.#events.listen(listener)
  }

  isActive(): boolean {
    return false
  }
  onFault(): () => void {
    return () => {}
  }
  async start(): Promise<void> {}
  async stop(): Promise<void> {}
}

function bench(chord: Partial<Chord>) {
  const clock = new SimulatedClock({ showStartMs: 1000, driftPpm: 0 })
  const bus = new Bus<Messages>()
  const seen: string[] = []
  bus.subscribe('input/changed', ({ input, event, atShowMs }) =>
    seen.push(`${atShowMs} ${input} ${event}`),
  )
  const left = new Finger(clock, 'left')
  const right = new Finger(clock, 'right')
  const both = { name: 'both', inputs: ['left', 'right'], withinMs: 500, holdMs: 1000, ...chord }
  const inputs = new Inputs(clock, bus, [left, right], [both])
  const chords = (): string[] => seen.filter(line => line.includes('both'))
  return { clock, left, right, inputs, seen, chords }
}

t.test('a press is told with the moment of its edge on show time', async t => {
  const { clock, left, inputs, seen } = bench({})
  await inputs.start()
  await clock.advance(5)
  left.does('press')
  t.same(seen, ['1005 left press'])
})

t.test('a chord sounds when its inputs were held together for the hold time', async t => {
  const { clock, left, right, inputs, chords } = bench({})
  await inputs.start()
  left.does('press')
  await clock.advance(300)
  right.does('press')
  await clock.advance(999)
  t.same(chords(), [])
  await clock.advance(1)
  t.same(chords(), ['2300 both press'])
  left.does('release')
  t.same(chords(), ['2300 both press', '2300 both release'])
})

t.test('a chord let go before its hold time never sounds', async t => {
  const { clock, left, right, inputs, chords } = bench({})
  await inputs.start()
  left.does('press')
  right.does('press')
  await clock.advance(900)
  right.does('release')
  await clock.advance(5000)
  t.same(chords(), [])
})

t.test('presses too far apart are no chord, until one is pressed again', async t => {
  const { clock, left, right, inputs, chords } = bench({ holdMs: 0 })
  await inputs.start()
  left.does('press')
  await clock.advance(501)
  right.does('press')
  t.same(chords(), [])
  left.does('release')
  left.does('press')
  t.same(chords(), ['1501 both press'])
})

t.test('after stop nothing is told and no hold sounds', async t => {
  const { clock, left, right, inputs, seen } = bench({})
  await inputs.start()
  left.does('press')
  right.does('press')
  await inputs.stop()
  await inputs.stop()
  left.does('release')
  await clock.advance(5000)
  t.same(seen.length, 2)
})
