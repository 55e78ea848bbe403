import t from 'tap'
import { type PmcAnswer, PmcAnswers } from '../../../drivers/linux/pmc-answers.js'

/** As pmc 3.1.1 prints it. */
export const PRINTED = [
  'sending: GET PARENT_DATA_SET',
  'sending: GET TIME_STATUS_NP',
  '\tb64169.fffe.f75cf9-0 seq 0 RESPONSE MANAGEMENT PARENT_DATA_SET ',
  '\t\tparentPortIdentity                    3ee558.fffe.4dad8a-1',
  '\t\tparentStats                           0',
  '\t\tgrandmasterPriority1                  128',
  '\t\tgm.ClockClass                         13',
  '\t\tgm.ClockAccuracy                      0xfe',
  '\t\tgm.OffsetScaledLogVariance            0xffff',
  '\t\tgrandmasterPriority2                  100',
  '\t\tgrandmasterIdentity                   3ee558.fffe.4dad8a',
  '\tb64169.fffe.f75cf9-0 seq 1 RESPONSE MANAGEMENT TIME_STATUS_NP ',
  '\t\tmaster_offset              -120',
  '\t\tingress_time               1790000000123456789',
  "\t\tlastGmPhaseChange          0x0000'0000000000000000.0000",
  '\t\tgmPresent                  true',
  '\t\tgmIdentity                 3ee558.fffe.4dad8a',
  'sending: GET NULL_MANAGEMENT',
  '',
].join('\n')

const read = (pieces: readonly string[]): readonly PmcAnswer[] => {
  const answers: PmcAnswer[] = []
  const reader = new PmcAnswers(answer => answers.push(answer))
  for (const piece of pieces) reader.feed(piece)
  return answers
}

t.test('each answer is told when the next thing begins, in whatever pieces it comes', async t => {
  const whole = read([PRINTED])
  t.same(
    whole.map(({ name }) => name),
    ['PARENT_DATA_SET', 'TIME_STATUS_NP'],
  )
  t.match(whole[0]?.fields, { 'gm.ClockClass': '13', parentStats: '0' })
  t.match(whole[1]?.fields, { master_offset: '-120', gmPresent: 'true' })
  for (const length of [1, 7, 100])
    t.same(read(PRINTED.match(new RegExp(`[^]{1,${length}}`, 'g')) ?? []), whole)
})

t.test('an answer that refuses, and noise, are none', async t => {
  t.same(
    read(['\tb64169.fffe.f75cf9-0 seq 0 RESPONSE MANAGEMENT ERROR\n'.slice(0, 30), '\n\n']),
    [],
  )
  t.same(read(['x'.repeat(100_000), '\n', '\t\tname value\n', '\n']), [])
})
