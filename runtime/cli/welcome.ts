/** What a newcomer reads when the box is up: where everything is, and what to try first. */
import type { RunningBox } from '../run.js'

export interface WelcomeOptions {
  readonly stateFolder: string
  readonly logFile: string | null
}

export function welcome(box: RunningBox, { stateFolder, logFile }: WelcomeOptions): string {
  const base = `vb/${box.tour}/${box.box}`
  const show = box.show ? `${box.show.name}, ${box.show.cueCount} cues` : 'none'
  const lines = [
    '',
    `Roadcase is ready: ${base} on the ${box.boardTitle}`,
    '',
    `  page     ${box.url}/#token=${box.operator.token}`,
    ...brokerLines(box),
    `  show     ${show}`,
    `  state    ${stateFolder}${logFile === null ? '' : `   log ${logFile}`}`,
    '',
    'Fire the next cue:',
    ...goLines(box, base),
    '  npx roadcase go          (npx roadcase --help for everything else)',
    '  or open the page and press GO',
    '',
    'Ctrl-C stops the box.',
    '',
  ]
  return `${lines.join('\n')}\n`
}

const brokerLines = ({ mqttPort, operator }: RunningBox): readonly string[] =>
  mqttPort === null
    ? []
    : [
        `  broker   mqtt://127.0.0.1:${mqttPort}   user ${operator.username}   password ${operator.password}`,
      ]

const goLines = ({ mqttPort, operator }: RunningBox, base: string): readonly string[] =>
  mqttPort === null
    ? []
    : [
        `  mosquitto_pub -p ${mqttPort} -u ${operator.username} -P ${operator.password} -t ${base}/cue -m GO`,
      ]
