import { readFileSync } from 'node:fs'
import t from 'tap'
import { checkUpdaterConfig } from '../../../ota/updater/updater-config.js'

t.test('the ota.json that the documents show is one', async t => {
  const [, example] =
    /```json\n(\{[^`]*\})\n```/.exec(readFileSync('docs/updates.md', 'utf8')) ?? []
  const shown = JSON.parse(example ?? 'null')
  const config = checkUpdaterConfig(shown)
  t.match(config, { tour: 'tour-7', venue: { boxes: ['box-11', 'box-12'] } })
  const { schemaVersion, tour, box } = shown
  t.same(
    { ...checkUpdaterConfig({ schemaVersion, tour, box }), venue: null, repositories: [] },
    { ...config, venue: null, repositories: [] },
    'and shows the defaults',
  )
})

t.test('an address that is none is refused here, and does not end the updater later', async t => {
  const own = { schemaVersion: 1, tour: 'tour-7', box: 'box-1' }
  for (const address of ['http://:80', 'https://[x', 'http://hub:99999'])
    t.throws(() => checkUpdaterConfig({ ...own, repositories: ['https://a', address] }), {
      message: /^ota\.repositories\[1\]: must have a host/,
    })
})
