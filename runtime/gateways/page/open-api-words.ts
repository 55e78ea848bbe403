/** What the parts of the OpenAPI document share: the shapes by name, and how an answer is described. */
import { clockSetIn, clockTopics } from '../../core/clock-topics.js'
import { commandIn } from '../../core/command-shape.js'
import { otaState } from '../../core/ota-topics.js'
import { printDecisionIn, printIn } from '../../core/printing-topics.js'
import {
  acknowledgement,
  clockAnswer,
  commandAnswer,
  healthAnswer,
  historyAnswer,
  jobAnswer,
  jobsAnswer,
  latenessAnswer,
  login,
  logsAnswer,
  otaAnswer,
  press,
  printAnswer,
  refusalAnswer,
  sessionAnswer,
  stateAnswer,
} from './api.js'
import { nowHeader, sentHeader } from './lateness.js'

/** Of what is worth less the later it comes. */
export const sentAt = {
  name: sentHeader,
  in: 'header',
  required: false,
  description: `When it was asked, in milliseconds on the clock of the box, as \`beat\` and the header \`${nowHeader}\` of answers tell it. What was more than 2 s on its way is then refused with 409.`,
  schema: { type: 'number', minimum: 0 },
}

export const shapes = {
  Acknowledgement: acknowledgement,
  Clock: clockAnswer,
  Command: commandIn,
  CommandAnswer: commandAnswer,
  Decision: printDecisionIn,
  Health: healthAnswer,
  History: historyAnswer,
  Job: jobAnswer,
  Jobs: jobsAnswer,
  Lateness: latenessAnswer,
  Login: login,
  Logs: logsAnswer,
  Press: press,
  Print: printIn,
  PrintAnswer: printAnswer,
  Refusal: refusalAnswer,
  Session: sessionAnswer,
  SetWall: clockSetIn,
  OtaState: otaState,
  OtaAnswer: otaAnswer,
  State: stateAnswer,
  Wall: clockTopics['clock/wall'].payload,
}
type ShapeName = keyof typeof shapes

const content = (shape: ShapeName): object => ({
  'application/json': { schema: { $ref: `#/components/schemas/${shape}` } },
})
export const answer = (description: string, shape: ShapeName): object => ({
  description,
  content: content(shape),
})
export const refusal = (description: string): object => answer(description, 'Refusal')
export const body = (shape: ShapeName): object => ({ required: true, content: content(shape) })

export const invalid = refusal('The body is wrong; `problems` names everything that is.')
export const denied = refusal('The operator token is missing or wrong.')
export const limited = refusal('Too many wrong tokens from this address within a minute.')
export const foreign = refusal('The request comes from another site.')
export const operating = [{ bearer: [] }, { cookie: [] }]
/** Open where only this machine can connect; in the venue's network the token is needed. */
export const reading = [{}, ...operating]

/** Refused by whoever answers, or an id that was used for something else. */
const refusedAs = (description: string, shape: ShapeName): object => ({
  description,
  content: {
    'application/json': {
      schema: {
        anyOf: [
          { $ref: `#/components/schemas/${shape}` },
          { $ref: '#/components/schemas/Refusal' },
        ],
      },
    },
  },
})

/** What may become of a request that another part of the box decides. */
export const asked = (
  shape: ShapeName,
  { accepted, refused }: { readonly accepted: string; readonly refused: string },
): object => ({
  200: answer(accepted, shape),
  400: invalid,
  401: denied,
  403: foreign,
  409: refusedAs(refused, shape),
  429: limited,
  503: refusal('64 requests are waiting already, or the box is stopping.'),
  504: refusal('No answer within 5 s; ask again with the same id.'),
})
