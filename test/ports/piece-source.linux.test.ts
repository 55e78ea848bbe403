import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { LinuxPeerLink } from '../../drivers/linux/peer-link.js'
import { FolderPieceSource } from '../../drivers/linux/piece-folder.js'
import { hashedTarget, WebPieceSource } from '../../drivers/linux/piece-web.js'
import type { PieceSource } from '../../runtime/ports/piece-source.js'
import { startHub } from '../ota/fetch/test-hub.js'
import { askOf, contractObject, pieceSourceContract } from './piece-source.contract.js'

const { object, bytes } = contractObject

t.test('a web server', async t => {
  pieceSourceContract(t, async t => {
    const hub = await startHub(t, contractObject)
    return new WebPieceSource(`${hub.url}?token=secret`)
  })
})

t.test('a folder', async t => {
  pieceSourceContract(t, async t => {
    const folder = t.testdir({})
    mkdirSync(join(folder, 'targets', 'objects'), { recursive: true })
    writeFileSync(join(folder, 'targets', hashedTarget(object)), bytes)
    return new FolderPieceSource(folder)
  })
})

t.test('a stick that is not there has not said that it lacks anything', async t => {
  const source = new FolderPieceSource(join(t.testdir({}), 'stick'))
  await t.rejects(source.ask(askOf(0, 1), async () => true).done, { code: 'link.down' })
})

t.test('another box', async t => {
  pieceSourceContract(t, peerOf)
})

async function peerOf(t: Test): Promise<PieceSource> {
  const options = { host: '127.0.0.1', port: 0, isLoopbackAllowed: true }
  const link = new LinuxPeerLink(options)
  await link.serve(async (sha256, index) => {
    const at = index * object.pieceByteCount
    return sha256 === object.sha256 ? bytes.subarray(at, at + object.pieceByteCount) : null
  })
  t.teardown(() => link.close())
  const source = new LinuxPeerLink(options).sourceAt('box-2', link.addresses())
  if (!source) throw new Error('no source')
  return source
}
