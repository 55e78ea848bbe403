import { execFileSync } from 'node:child_process'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { FolderSource } from '../../drivers/linux/folder-source.js'
import { rejectsWith, releaseSourceContract, type SourceBench } from './release-source.contract.js'

async function makeBench(t: Test): Promise<SourceBench & { folder: string }> {
  const folder = join(t.testdir({ stick: {}, secret: 'outside' }), 'stick')
  return {
    folder,
    source: new FolderSource(folder),
    put: (name, bytes) => {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), bytes)
    },
    vanish: async () => renameSync(folder, `${folder}-pulled-out`),
  }
}

releaseSourceContract(t, makeBench)

t.test('no name leaves the folder', async t => {
  const { source } = await makeBench(t)
  for (const path of [
    '../secret',
    '%2E%2E/secret',
    '..%2Fsecret',
    '/secret',
    './x',
    'x//y',
    '%',
    '',
  ])
    t.equal(await source.fetch(path, 100), null, path)
})

t.test('a role with a slash in its name lies under its encoded name', async t => {
  const { source, put } = await makeBench(t)
  put('metadata/1...%2Fa.json', Uint8Array.of(1))
  t.same(await source.fetch('metadata/1...%2Fa.json', 10), Uint8Array.of(1))
})

t.test('a named pipe or a folder is refused, not waited for', async t => {
  const { source, folder } = await makeBench(t)
  execFileSync('mkfifo', [join(folder, 'pipe')])
  mkdirSync(join(folder, 'inner'))
  for (const path of ['pipe', 'inner']) await rejectsWith(t, source.fetch(path, 10), 'link.down')
})
