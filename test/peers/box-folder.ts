/** The example's documents in a folder of a test's own, with ports that the kernel chooses. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const EXAMPLE = 'docs/examples/first-night'

export interface BoxFolder {
  readonly configFile: string
  readonly stateFolder: string
}

export function fillBoxFolder(folder: string): BoxFolder {
  const config = JSON.parse(readFileSync(`${EXAMPLE}/box.json`, 'utf8'))
  const ported = { ...config, broker: { kind: 'embedded', port: 0 }, page: { port: 0 } }
  writeFileSync(join(folder, 'box.json'), JSON.stringify(ported))
  writeFileSync(join(folder, 'show.yaml'), readFileSync(`${EXAMPLE}/show.yaml`))
  return { configFile: join(folder, 'box.json'), stateFolder: join(folder, 'state') }
}
