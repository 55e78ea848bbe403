import t from 'tap'
import { Patience } from '../../drivers/escpos-printer-patience.js'
import { at } from './bench.js'

const make = (): Patience => new Patience(at(0), { readyMs: 30, hinderedMs: 1000 })

t.test('a printer that could print has its time, and no more', async t => {
  const patience = make()
  t.equal(patience.look(at(29), false), null)
  t.equal(patience.look(at(30), false), 'unanswered')
})

t.test('while somebody brings paper the clock of the printer stands still', async t => {
  const patience = make()
  t.equal(patience.look(at(500), true), null)
  t.equal(patience.look(at(529), false), null)
  t.equal(patience.look(at(530), false), 'unanswered')
})

t.test('nobody has for ever', async t => {
  const patience = make()
  t.equal(patience.look(at(1029), true), null)
  t.equal(patience.look(at(1030), true), 'not-mended')
})
