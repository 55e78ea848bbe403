/**
 * One process at a time for one folder: a name in the kernel's list of sockets (unix(7), abstract), which is free again when
 * the process ends, however it ends. It holds on one machine; a folder that two machines mount has no such name.
 */
import { createHash } from 'node:crypto'
import { realpath } from 'node:fs/promises'
import { createServer } from 'node:net'
import { resolve } from 'node:path'
import { BoxError } from '../../runtime/core/errors.js'
import { hasCode } from './errno.js'

/** @returns gives it free @throws BoxError `release.conflict` */
export async function onePublisher(folder: string): Promise<() => void> {
  const path = await realpath(folder).catch(() => resolve(folder))
  const name = `\0roadcase-publish-${createHash('sha256').update(path).digest('hex')}`
  const server = createServer(socket => socket.destroy())
  return new Promise((done, refuse) => {
    // The cause would show the name, which says nothing to anybody.
    server.on('error', cause => refuse(hasCode(cause, 'EADDRINUSE') ? taken(folder) : cause))
    server.listen(name, () => {
      server.unref()
      done(() => server.close())
    })
  })
}

const taken = (folder: string): BoxError =>
  new BoxError('release.conflict', `somebody else is publishing to ${folder} just now`)
