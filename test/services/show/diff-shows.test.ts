import { readFileSync } from 'node:fs'
import t from 'tap'
import { diffShows, renderDifferences } from '../../../runtime/services/show/diff-shows.js'
import { readShow } from './stage.js'

const text = readFileSync('test/fixtures/shows/small.yaml', 'utf8')
const small = readShow(text)

t.test('a show does not differ from itself, however it is written', async t => {
  t.same(diffShows(small, readShow(text.replaceAll('40%', '0.4'))), [])
  t.equal(renderDifferences([]), '')
})

t.test('every change is named, with what it was and what it is', async t => {
  const now = readShow(
    text
      .replace('name: small', 'name: large')
      .replace('out: relay', 'out: "relay#0"')
      .replace('house: {all: 40%}', 'house: {all: 45%}\n  late: {front: 5%}')
      .replace('fade: 4s', 'fade: 6s')
      .replace(
        '  - {id: "4", name: Dark, levels: {all: off}, fade: 2s}',
        '  - {id: "5", levels: {all: off}}',
      )
      .replace('do: back}', 'do: next}'),
  )
  t.equal(
    renderDifferences(diffShows(small, now)),
    `~ name
    "small" -> "large"
~ patch lamp
    out.channels: null -> {"first":0,"last":0}
~ scene house
    all: 0.4 -> 0.45
+ scene late
- cue 4
~ cue 1
    fade: 4000 -> 6000
+ cue 5
~ trigger back:press
    deed.kind: "back" -> "next"
`,
  )
})

t.test('another order of cues is a difference', async t => {
  const [one = '', two = ''] = ['{id: "1"}', '{id: "2"}']
  const of = (cues: string): ReturnType<typeof readShow> =>
    readShow(`{apiVersion: show/v1, name: a, patch: {}, cues: [${cues}]}`)
  t.same(diffShows(of(`${one}, ${two}`), of(`${two}, ${one}`)), [
    { kind: 'changed', what: 'order of cues', details: ['"1 2" -> "2 1"'] },
  ])
})
