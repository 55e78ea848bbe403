import t from 'tap'
import { codePageNumbers, type PrintState, transition } from '../../drivers/escpos-text.js'
import { codePageNames } from '../../runtime/core/code-pages.js'
import { plainStyle } from '../../runtime/core/ticket-layout.js'

const plain: PrintState = { style: plainStyle, align: 'left', lineDots: 30 }
const styled = (style: Partial<PrintState['style']>): PrintState => ({
  ...plain,
  style: { ...plainStyle, ...style },
})

t.test('each change of state is one command, and its return the opposite one', async t => {
  const cases: readonly (readonly [state: PrintState, there: number[], back: number[]])[] = [
    [styled({ isBold: true }), [0x1b, 0x45, 1], [0x1b, 0x45, 0]],
    [styled({ isUnderlined: true }), [0x1b, 0x2d, 1], [0x1b, 0x2d, 0]],
    [styled({ isInverted: true }), [0x1d, 0x42, 1], [0x1d, 0x42, 0]],
    [styled({ font: 'b' }), [0x1b, 0x4d, 1], [0x1b, 0x4d, 0]],
    [styled({ widthScale: 8, heightScale: 2 }), [0x1d, 0x21, 0x71], [0x1d, 0x21, 0]],
    [{ ...plain, align: 'center' }, [0x1b, 0x61, 1], [0x1b, 0x61, 0]],
    [{ ...plain, align: 'right' }, [0x1b, 0x61, 2], [0x1b, 0x61, 0]],
    [{ ...plain, lineDots: 198 }, [0x1b, 0x33, 198], [0x1b, 0x33, 30]],
  ]
  for (const [state, there, back] of cases) {
    t.same(transition(plain, state), there)
    t.same(transition(state, plain), back)
  }
})

t.test('what stays as it is is not told again', async t => {
  const state = styled({ isBold: true, font: 'b', widthScale: 2 })
  t.same(transition(state, { ...state }), [])
  t.same(transition(plain, { ...plain, lineDots: null }), [])
})

t.test('every code page has the number that Epson gave it', async t => {
  t.same(
    codePageNames.map(name => codePageNumbers[name]),
    [0, 2, 18, 19, 17, 16],
  )
})
