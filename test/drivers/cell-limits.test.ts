import t from 'tap'
import { cellCharge, cellVoltage, firmwareCharge, temperature } from '../../drivers/cell-limits.js'
import { known, unknown } from '../../drivers/gauge-reading.js'

t.test('a voltage that no cell has is unknown, and none at all is no pack', async t => {
  t.same(cellVoltage(3700), known(3700))
  t.same(cellVoltage(2500), known(2500))
  t.same(cellVoltage(5000), known(5000))
  t.same(cellVoltage(5001), unknown('implausible'))
  t.same(cellVoltage(65_535), unknown('implausible'))
  t.same(cellVoltage(499), unknown('no-pack'))
  t.same(cellVoltage(0), unknown('no-pack'))
})

t.test('0 % of a cell that holds some charge is unknown; of an empty one it is 0 %', async t => {
  t.same(cellCharge(0, known(3900)), unknown('implausible'))
  t.same(cellCharge(0, known(3100)), known(0))
  t.same(cellCharge(0, known(3500)), known(0), 'recovered, with the load taken away')
  t.same(cellCharge(0.4, known(3900)), known(0.4))
})

t.test('a little above 100 % is told as it is, more is unknown and not 100 %', async t => {
  t.same(cellCharge(101.5, known(4200)), known(101.5))
  t.same(cellCharge(255.99, known(4200)), unknown('implausible'))
})

t.test('there is no charge without a cell', async t => {
  t.same(cellCharge(50, unknown('no-pack')), unknown('no-pack'))
  t.same(cellCharge(50, unknown('implausible')), unknown('implausible'))
})

t.test(
  '0 % from a firmware is one beside the voltage of an empty cell, and else unknown',
  async t => {
    t.same(firmwareCharge(known(0), known(3100)), known(0))
    t.same(firmwareCharge(known(0), known(3900)), unknown('implausible'))
    t.same(firmwareCharge(known(0), unknown('no-pack')), unknown('no-pack'))
    t.same(firmwareCharge(known(55), unknown('implausible')), known(55))
    t.same(firmwareCharge(unknown('implausible'), known(3900)), unknown('implausible'))
  },
)

t.test('a temperature that no chip survives is unknown', async t => {
  t.same(temperature(25), known(25))
  t.same(temperature(-40), known(-40))
  t.same(temperature(-273.15), unknown('implausible'))
  t.same(temperature(6280.3), unknown('implausible'))
})
