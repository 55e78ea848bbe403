import t from 'tap'
import { Signal } from '../../runtime/core/signal.js'

t.test('listeners hear each value, in the order they came', async t => {
  const signal = new Signal<number>()
  const heard: string[] = []
  signal.listen(value => heard.push(`a${value}`))
  signal.listen(value => heard.push(`b${value}`))
  signal.emit(1)
  signal.emit(2)
  t.same(heard, ['a1', 'b1', 'a2', 'b2'])
})

t.test('who stopped listening hears nothing more, and may stop twice', async t => {
  const signal = new Signal<number>()
  const heard: number[] = []
  const stop = signal.listen(value => heard.push(value))
  signal.emit(1)
  stop()
  stop()
  signal.emit(2)
  t.same(heard, [1])
})

t.test('who is stopped while a value is told does not hear it any more', async t => {
  const signal = new Signal<number>()
  const heard: string[] = []
  signal.listen(() => stopSecond())
  const stopSecond = signal.listen(() => heard.push('second'))
  signal.emit(1)
  t.same(heard, [])
})

t.test('who comes while a value is told hears the next', async t => {
  const signal = new Signal<number>()
  const heard: number[] = []
  signal.listen(value => {
    if (value === 1) signal.listen(later => heard.push(later))
  })
  signal.emit(1)
  signal.emit(2)
  t.same(heard, [2])
})

t.test('one function that listens twice is told twice, and stops one at a time', async t => {
  const signal = new Signal<number>()
  const heard: number[] = []
  const listener = (value: number): void => void heard.push(value)
  const stop = signal.listen(listener)
  signal.listen(listener)
  signal.emit(1)
  stop()
  stop()
  signal.emit(2)
  t.same(heard, [1, 1, 2])
})
