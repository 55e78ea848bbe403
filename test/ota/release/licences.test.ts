import t from 'tap'
import { licencesText } from '../../../ota/release/licences.js'

t.test('each text stands once, with everybody it is of', async t => {
  const text = licencesText('Ours\n', [
    { name: 'b', version: '1.0.0', licence: 'MIT', texts: ['Permission  \r\nis granted\r\n'] },
    { name: 'a', version: '2.0.0', licence: 'MIT', texts: ['Permission\nis granted'] },
    { name: 'c', version: '1.0.0', licence: null, texts: [] },
  ])
  t.equal(text.split('Permission').length, 2)
  t.match(text, /^roadcase\n\nOurs\n/)
  t.match(text, 'a 2.0.0 (MIT)\nb 1.0.0 (MIT)\n\nPermission\nis granted\n')
  t.match(text, 'These bring no text of their licence:\n\nc 1.0.0 (declares none)\n')
})

t.test('the order in which packages were found makes no difference', async t => {
  const one = { name: 'a', version: '1.0.0', licence: 'MIT', texts: ['A'] }
  const other = { name: 'b', version: '1.0.0', licence: 'ISC', texts: ['B', 'A'] }
  t.equal(licencesText('Ours', [one, other]), licencesText('Ours', [other, one]))
})
