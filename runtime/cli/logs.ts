import type { Command } from 'commander'
import type { LogLine } from '../gateways/page/api.js'
import type { CliSetting } from './setting.js'
import { type Paint, paintFor } from './terminal.js'
import { lineCount } from './words.js'

export function addLogs(program: Command, setting: CliSetting): void {
  program
    .command('logs')
    .description('show the newest log lines of the box')
    .option('-n, --lines <count>', 'how many, at most 1000', lineCount, 50)
    .option('-f, --follow', 'go on with new lines until interrupted', false)
    .addHelpText('after', '\nExample:\n  $ roadcase logs --lines 20 --follow')
    .action(async ({ lines, follow }: { lines: number; follow: boolean }) => {
      const paint = paintFor(setting.terminal)
      const link = setting.link()
      const write = (line: LogLine): void =>
        setting.terminal.write(
          setting.isJson() ? `${JSON.stringify(line)}\n` : `${lineText(line, paint)}\n`,
        )
      for (const line of await link.logs(lines)) write(line)
      if (follow) await link.follow(write)
    })
}

const stamp = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium' })

/** `2027-03-01 20:00:00 warn device.absent device=wash` */
export function lineText({ wallMs, level, event, facts }: LogLine, paint: Paint): string {
  const shown = { info: paint.dim, warn: paint.yellow, error: paint.red }[level](level.padEnd(5))
  const details = Object.entries(facts).map(
    ([name, value]) =>
      `${name}=${typeof value === 'string' ? quoted(value) : JSON.stringify(value)}`,
  )
  return [paint.dim(stamp.format(wallMs)), shown, paint.bold(event), ...details].join(' ')
}

/** Control characters come from outside and must not move the cursor. */
const quoted = (value: string): string =>
  /^[\w./:-]+$/.test(value) ? value : JSON.stringify(value)
