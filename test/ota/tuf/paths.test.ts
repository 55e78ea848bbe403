import t from 'tap'
import { encodeStep, matchesPattern, metadataPath, targetLocation } from '../../../ota/tuf/paths.js'

t.test('patterns are those of a shell, and none goes over a slash', async t => {
  const rows: readonly (readonly [pattern: string, fits: string, not: string])[] = [
    ['*', 'a .hidden {a,b} !x #x', 'a/b'],
    ['*.doc', 'a.doc .doc a.b.doc', 'a.do doc a/b.doc a.DOC'],
    ['foo-?.tgz', 'foo-1.tgz foo-ä.tgz foo-𝄞.tgz', 'foo-.tgz foo-12.tgz'],
    ['releases/*/*', 'releases/x/y releases//', 'releases/x releases/x/y/z'],
    ['a*b*c', 'abc aXbXc abbcbc', 'abcb ac'],
    ['[abc]x', 'ax bx', 'dx x [x'],
    ['[!abc]x', 'dx !x', 'ax'],
    ['[a-c]x', 'bx', '-x dx'],
    ['[]x]', '] x', '[ ]x]'],
    ['[a-]', 'a -', 'b'],
    ['[ab', '[ab', 'a b'],
    ['{a,b}', '{a,b}', 'a b'],
    ['**', 'a', 'a/b'],
    ['!(a)', '!(a)', 'b'],
    ['', '', 'a'],
    ['a\\*', 'a\\x', 'a*'],
  ]
  for (const [pattern, fits, not] of rows) {
    for (const path of pattern === '*' ? fits.split(' ').slice(0, 3) : fits.split(' '))
      t.ok(matchesPattern(path, pattern), `${pattern} fits ${path}`)
    for (const path of not.split(' '))
      t.notOk(matchesPattern(path, pattern), `${pattern} does not fit ${path}`)
  }
})

t.test('no pattern takes long', async t => {
  const path = 'a'.repeat(2000)
  const before = process.cpuUsage().user
  t.notOk(matchesPattern(path, `${'*a'.repeat(500)}*b`))
  t.ok(process.cpuUsage().user - before < 1_000_000)
})

t.test('a role has a file of its own, whatever it is called', async t => {
  t.equal(metadataPath('timestamp', null), 'metadata/timestamp.json')
  t.equal(metadataPath('../a', 3), 'metadata/3...%2Fa.json')
  t.equal(encodeStep("?#/!'()*~ ä"), '%3F%23%2F%21%27%28%29%2A~%20%C3%A4')
})

t.test('a target lies in the repository, or nowhere', async t => {
  t.equal(targetLocation('a/b c', 'ff'), 'targets/a/ff.b%20c')
  t.equal(targetLocation('a', null), 'targets/a')
  for (const path of ['', '/a', 'a//b', '../a', 'a/..', './a', 'a/\ud800'])
    t.equal(targetLocation(path, 'ff'), null, path)
})
