import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { BoxLink, PrintAsked } from '../../runtime/cli/box-link.js'
import { noLink, type } from './cli-world.js'

function printing(isRepeated = false): { asked: PrintAsked[]; link: BoxLink } {
  const asked: PrintAsked[] = []
  const link: BoxLink = {
    ...noLink,
    print: async request => {
      asked.push(request)
      return {
        id: 'r1',
        job: 'r1',
        serial: 'B1-0007',
        isAccepted: true,
        isRepeated,
        code: null,
        message: null,
      }
    },
  }
  return { asked, link }
}

t.test('a ticket of a template is asked of the box', async t => {
  const { asked, link } = printing()
  const words = ['print', '--template', 'claim', '--field', 'name=Ada', '--printer', 'bar']
  const typed = await type([...words, '--key', 'order-17'], { link: () => link })
  t.same(asked, [{ template: 'claim', fields: { name: 'Ada' }, printer: 'bar', key: 'order-17' }])
  t.equal(typed.out, 'B1-0007 is accepted; see "roadcase jobs B1-0007"\n')
  t.equal(typed.exitCode, 0)
})

t.test('who asks with the key of an earlier ticket is told so', async t => {
  const { link } = printing(true)
  const typed = await type(['print', '--template', 'claim', '--key', 'k'], { link: () => link })
  t.match(typed.out, /^B1-0007 was asked for before/)
})

t.test('a whole ticket is read, checked and sent', async t => {
  const { asked, link } = printing()
  const file = join(t.testdir(), 'ticket.yaml')
  writeFileSync(file, 'blocks:\n  - {kind: text, text: Hello}\n')
  await type(['print', '--ticket', file], { link: () => link })
  t.match(asked, [{ ticket: { blocks: [{ kind: 'text', text: 'Hello', align: 'left' }] } }])
  writeFileSync(file, 'blocks:\n  - {kind: song}\n')
  const typed = await type(['print', '--ticket', file], { link: () => link })
  t.equal(typed.exitCode, 3)
  t.match(typed.error, /2:\d+ ticket\.blocks\[0\]\.kind/)
  t.equal(asked.length, 1, 'the box was not asked')
})

t.test('who names nothing, or two things, is told how it is written', async t => {
  for (const words of [['print'], ['print', '--template', 'a', '--ticket', 'b']]) {
    const typed = await type(words)
    t.equal(typed.exitCode, 2)
    t.match(typed.error, /give either --template or --ticket, as in "roadcase print --template/)
  }
})
