import type { Command } from 'commander'
import { clockRows } from './clock-words.js'
import type { CliSetting } from './setting.js'
import { table } from './table.js'
import { paintFor, writeJson } from './terminal.js'

export function addClock(program: Command, setting: CliSetting): void {
  program
    .command('clock')
    .description('show whose time the box follows, and how well')
    .addHelpText('after', '\nExample:\n  $ roadcase clock')
    .action(async () => {
      const clock = await setting.link().clock()
      const paint = paintFor(setting.terminal)
      if (setting.isJson()) writeJson(setting.terminal, clock)
      else setting.terminal.write(table(clockRows(clock, paint), paint))
    })
}
