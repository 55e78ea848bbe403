/** The commands that ask something of the show of a running box. */
import type { Command } from 'commander'
import { BPM_MAX, BPM_MIN } from '../core/beat-grid.js'
import type { CommandAsked } from './box-link.js'
import type { CliSetting } from './setting.js'
import { writeJson } from './terminal.js'
import { beatCount, bpmOrOff, durationMs, level, onOrOff } from './words.js'

interface Deed {
  readonly usage: string
  readonly summary: string
  readonly example: string
  /** What is said when the box has done it. */
  readonly done: string
  readonly asked: CommandAsked
}

/** Those that need no argument. */
const plain: readonly Deed[] = [
  {
    usage: 'go',
    summary: 'run the next cue',
    example: 'roadcase go',
    done: 'GO',
    asked: { action: 'go' },
  },
  {
    usage: 'back',
    summary: 'go back to the cue before',
    example: 'roadcase back',
    done: 'went back one cue',
    asked: { action: 'back' },
  },
  {
    usage: 'panic',
    summary: 'put all outputs in their safe state at once, until released',
    example: 'roadcase panic',
    done: 'PANIC: all outputs are in their safe state; go on with "roadcase release"',
    asked: { action: 'panic' },
  },
  {
    usage: 'release',
    summary: 'end a panic',
    example: 'roadcase release',
    done: 'the panic is over',
    asked: { action: 'release' },
  },
  {
    usage: 'arm',
    summary: 'let cues fire at their time of day; GO and buttons work either way',
    example: 'roadcase arm',
    done: 'armed',
    asked: { action: 'arm' },
  },
  {
    usage: 'disarm',
    summary: 'keep cues from firing at their time of day; GO and buttons go on working',
    example: 'roadcase disarm',
    done: 'disarmed',
    asked: { action: 'disarm' },
  },
]

export function addOperating(program: Command, setting: CliSetting): void {
  for (const deed of plain)
    describe(program, deed.usage, deed.summary, deed.example).action(() =>
      ask(setting, deed.asked, deed.done),
    )
  addCueCommands(program, setting)
  addLevelCommands(program, setting)
  addTempo(program, setting)
}

function addCueCommands(program: Command, setting: CliSetting): void {
  describe(program, 'goto', 'make a cue the next one, without running it', 'roadcase goto 2.5')
    .argument('<cue>', 'id of the cue')
    .action((cue: string) => ask(setting, { action: 'goto', cue }, `cue ${cue} is next`))
  describe(program, 'fire', 'run a cue now, wherever the show stands', 'roadcase fire 2.5')
    .argument('<cue>', 'id of the cue')
    .action((cue: string) => ask(setting, { action: 'fire', cue }, `cue ${cue} fired`))
  describe(program, 'scene', 'recall a scene by hand', 'roadcase scene house --fade 3s')
    .argument('<scene>', 'name of the scene')
    .option('--fade <duration>', 'how long the change takes', durationMs)
    .action((scene: string, { fade }: { fade?: number }) =>
      ask(setting, { action: 'scene', scene, fadeMs: fade }, `scene ${scene}`),
    )
}

function addLevelCommands(program: Command, setting: CliSetting): void {
  describe(
    program,
    'level',
    'set an output or a group by hand',
    'roadcase level front 40% --fade 2s',
  )
    .argument('<output>', 'name of the output or group')
    .argument('<level>', '40%, 0.4, on or off', level)
    .option('--fade <duration>', 'how long the change takes', durationMs)
    .action((target: string, value: number, { fade }: { fade?: number }) =>
      ask(
        setting,
        { action: 'level', target, level: value, fadeMs: fade },
        `${target} at ${Math.round(value * 1000) / 10} %; give it back with "roadcase clear ${target}"`,
      ),
    )
  describe(program, 'clear', 'give outputs set by hand back to the show', 'roadcase clear front')
    .argument('[output]', 'name of the output or group; all of them when left out')
    .action((target: string | undefined) =>
      ask(setting, { action: 'clear', target }, `${target ?? 'everything'} is the show’s again`),
    )
  describe(program, 'blackout', 'make all lights dark, or end it', 'roadcase blackout on')
    .argument('<on|off>', 'on or off', onOrOff)
    .action((on: boolean) =>
      ask(setting, { action: 'blackout', on }, on ? 'blackout' : 'the blackout is over'),
    )
}

function addTempo(program: Command, setting: CliSetting): void {
  describe(
    program,
    'tempo',
    'set the tempo of the beats, or end them',
    'roadcase tempo 128 --bar 4',
  )
    .argument('<bpm|off>', `beats per minute, ${BPM_MIN} to ${BPM_MAX}, or off`, bpmOrOff)
    .option('--bar <beats>', 'beats per bar; as it was when left out', beatCount)
    .option('--restart', 'count from the first beat of the first bar, instead of going on')
    .action((bpm: number | null, { bar, restart }: { bar?: number; restart?: true }) =>
      bpm === null
        ? ask(setting, { action: 'tempo', on: false }, 'no beats')
        : ask(
            setting,
            { action: 'tempo', bpm, beatsPerBar: bar, restart },
            `${bpm} beats per minute`,
          ),
    )
}

const describe = (program: Command, name: string, summary: string, example: string): Command =>
  program.command(name).description(summary).addHelpText('after', `\nExample:\n  $ ${example}`)

async function ask(setting: CliSetting, asked: CommandAsked, done: string): Promise<void> {
  const answer = await setting.link().command(asked)
  if (setting.isJson()) writeJson(setting.terminal, answer)
  else setting.terminal.write(`${done}\n`)
}
