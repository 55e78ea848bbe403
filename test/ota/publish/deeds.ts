/** What a publisher does, on a real folder: `repository`, `keys`, `built` and `draft.json` in it, as at a desk. */
import { copyFileSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { LinuxPublicFolder } from '../../../drivers/linux/public-folder.js'
import { KeysTool, openRing } from '../../../ota/keys-cli.js'
import { PublishTool, type Told } from '../../../ota/publish-cli.js'
import { builtRelease, order } from './publish-world.js'

export const DEEDS = ['publish', 'order', 'accept', 'refresh', 'rotate', 'replace'] as const
export const RELEASE = 'releases/x64/1.5.0.json'

const sourceOf = (folder: string) => ({
  folder: join(folder, 'keys'),
  passphrases: null,
  environment: {},
})

const toolOf = (folder: string): PublishTool =>
  new PublishTool({
    repository: join(folder, 'repository'),
    keys: sourceOf(folder),
    days: { timestamp: 14, snapshot: 60 },
    draftFile: join(folder, 'draft.json'),
  })

/** As its command does it, and may do it again. */
export function deedOf(folder: string, deed: string): Promise<Told> {
  const tool = toolOf(folder)
  const change = { add: ['spare'], remove: ['server'], threshold: null }
  switch (deed) {
    case 'publish':
      return tool.publish(join(folder, 'built-1.6.0'))
    case 'order':
      return tool.order({ tour: 'summer', releases: order('1.5.0'), systems: undefined })
    case 'accept':
      return tool.accept(join(folder, 'draft.json'))
    case 'refresh':
      return tool.refresh(true)
    case 'rotate':
      return tool.rotate({
        ...change,
        roles: ['timestamp', 'snapshot'],
        isOldKeyLost: false,
        whyWeaker: null,
      })
    case 'replace':
      return tool.rotate({
        ...change,
        roles: ['timestamp', 'snapshot'],
        isOldKeyLost: true,
        whyWeaker: null,
      })
    default:
      throw new Error(`no deed "${deed}"`)
  }
}

/** A repository with a release and a tour, what is to be published next, and a draft that all have signed. */
export async function madeDesk(folder: string): Promise<void> {
  mkdirSync(join(folder, 'repository'))
  const keys = new KeysTool(openRing(sourceOf(folder)))
  for (const name of ['anna', 'bert', 'build', 'server', 'dora', 'spare'])
    await keys.create(name, true)
  for (const version of ['1.5.0', '1.6.0']) {
    const [built, copy] = [
      await builtRelease(version, 1000),
      new LinuxPublicFolder(join(folder, `built-${version}`)),
    ]
    for (const name of ['description.json', ...(await built.list('objects'))])
      await copy.write(name, built.stream(name))
  }
  const tool = toolOf(folder)
  const people = { keys: ['anna', 'bert'], threshold: 2 }
  const machine = { keys: ['server'], threshold: 1 }
  const releases = { keys: ['build'], threshold: 1 }
  await tool.init({
    root: people,
    targets: people,
    snapshot: machine,
    timestamp: machine,
    releases,
    whyWeaker: null,
  })
  await tool.tour('summer', { keys: ['dora'], threshold: 1 })
  await tool.publish(join(folder, 'built-1.5.0'))
  await madeDraft(folder, keys)
}

/** While anna is away. */
async function madeDraft(folder: string, keys: KeysTool): Promise<void> {
  const [key, away] = [join(folder, 'keys/anna.key'), join(folder, 'anna.key')]
  renameSync(key, away)
  const next = { roles: ['releases'], add: ['spare'], remove: [], threshold: null }
  // Another tool than before, which still has her key in memory.
  await toolOf(folder).rotate({ ...next, isOldKeyLost: false, whyWeaker: null })
  copyFileSync(away, key)
  await keys.sign(join(folder, 'draft.json'), null, () => {})
  rmSync(away)
}
