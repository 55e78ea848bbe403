/** What may happen to a repository while a box believes it, for tests that stop the box in the middle. */
import { TestKey, type TestRepository } from './test-repository.js'

export interface Scenario {
  readonly name: string
  readonly change: (repository: TestRepository) => void
}

export const scenarios: readonly Scenario[] = [
  { name: 'a release', change: repository => release(repository) },
  {
    name: 'the root keys change, twice',
    change: repository => {
      repository.rotate('root')
      repository.publish('root')
      repository.signers.delete('root')
      repository.rotate('root')
      repository.publish('root')
      repository.signers.delete('root')
      release(repository)
    },
  },
  {
    name: 'stolen keys are replaced, and versions begin again',
    change: repository => {
      repository.rotate('timestamp')
      repository.rotate('snapshot')
      for (const role of ['timestamp', 'snapshot']) repository.versions.set(role, 0)
      repository.publish('root', 'snapshot', 'timestamp')
    },
  },
  {
    name: 'the keys of the targets change',
    change: repository => {
      repository.rotate('targets')
      repository.publish('root')
      release(repository)
    },
  },
]

/** The role `tour` speaks of `tours/x`, and does so anew. */
export function release(repository: TestRepository): void {
  if (!repository.roles.has('tour'))
    repository.delegate('targets', { name: 'tour', keys: [new TestKey()], paths: ['tours/*'] })
  repository.addTarget('tour', 'tours/x', `number ${repository.versions.get('tour') ?? 0}`)
  repository.publish('tour', 'targets', 'snapshot', 'timestamp')
}
