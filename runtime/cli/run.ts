import type { Command } from 'commander'
import type { CliSetting } from './setting.js'

export function addRun(program: Command, setting: CliSetting): void {
  program
    .command('run')
    .description('run the box until it is interrupted')
    .option('--config <file>', 'box.json of this box', 'box.json')
    .option('--board <name>', 'the board, when it is not the one this machine says it is')
    .addHelpText('after', '\nExample:\n  $ roadcase run --config box.json --board simulated')
    .action(({ config, board }: { config: string; board?: string }) =>
      setting.actions.run({
        configFile: config,
        boardName: board ?? null,
        stateFolder: setting.stateFolder(),
      }),
    )
}
