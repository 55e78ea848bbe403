import { readdirSync, readFileSync } from 'node:fs'

/** Ids of the guards that run on this machine, whosever they are. */
export function guards(): readonly number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .filter(id => commandOf(id).includes('guard-process.js'))
    .map(Number)
}

function commandOf(id: string): string {
  try {
    return readFileSync(`/proc/${id}/cmdline`, 'latin1')
  } catch {
    // A process that ended meanwhile.
    return ''
  }
}

/** The process that started this one. @throws when there is none of that id */
export function parentOf(id: number): number {
  const [, parent = ''] =
    /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${id}/status`, 'latin1')) ?? []
  return Number(parent)
}
