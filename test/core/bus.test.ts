import t from 'tap'
import { Bus } from '../../runtime/core/bus.js'

interface Messages {
  'cue/fired': { readonly cue: string }
  'link/state': { readonly isUp: boolean }
}

t.test('a message reaches those who asked for its topic, at once and in order', async t => {
  const bus = new Bus<Messages>()
  const heard: string[] = []
  bus.subscribe('cue/fired', ({ cue }) => heard.push(`a ${cue}`))
  bus.subscribe('cue/fired', ({ cue }) => heard.push(`b ${cue}`))
  bus.subscribe('link/state', ({ isUp }) => heard.push(`link ${isUp}`))
  bus.publish('cue/fired', { cue: '1' })
  heard.push('published')
  bus.publish('link/state', { isUp: true })
  t.same(heard, ['a 1', 'b 1', 'published', 'link true'])
})

t.test('a message without a listener is no failure', async t => {
  t.doesNotThrow(() => new Bus<Messages>().publish('cue/fired', { cue: '1' }))
})

t.test('a topic is heard while somebody listens', async t => {
  const bus = new Bus<Messages>()
  t.notOk(bus.isHeard('cue/fired'))
  const stop = bus.subscribe('cue/fired', () => {})
  t.ok(bus.isHeard('cue/fired'))
  t.notOk(bus.isHeard('link/state'))
  stop()
  t.notOk(bus.isHeard('cue/fired'))
})

t.test('who stopped listening hears nothing more, and may stop twice', async t => {
  const bus = new Bus<Messages>()
  const heard: string[] = []
  const stop = bus.subscribe('cue/fired', ({ cue }) => heard.push(cue))
  bus.publish('cue/fired', { cue: '1' })
  stop()
  stop()
  bus.publish('cue/fired', { cue: '2' })
  t.same(heard, ['1'])
})

t.test('who is stopped while a message is told does not hear it any more', async t => {
  const bus = new Bus<Messages>()
  const heard: string[] = []
  bus.subscribe('cue/fired', () => stopSecond())
  const stopSecond = bus.subscribe('cue/fired', ({ cue }) => heard.push(cue))
  bus.publish('cue/fired', { cue: '1' })
  t.same(heard, [])
})

t.test('a message published by a listener is told before the first one returns', async t => {
  const bus = new Bus<Messages>()
  const heard: string[] = []
  bus.subscribe('cue/fired', () => {
    bus.publish('link/state', { isUp: false })
    heard.push('cue')
  })
  bus.subscribe('link/state', () => heard.push('link'))
  bus.publish('cue/fired', { cue: '1' })
  t.same(heard, ['link', 'cue'])
})

t.test('a listener that throws is a bug, and is not hidden', async t => {
  const bus = new Bus<Messages>()
  bus.subscribe('cue/fired', () => {
    throw new TypeError('oh')
  })
  t.throws(() => bus.publish('cue/fired', { cue: '1' }), TypeError)
})
