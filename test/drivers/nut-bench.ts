/** The far side of a simulated connection that answers as upsd does. */
import type { SimulatedByteStream } from '../../drivers/simulated/byte-stream.js'

export interface StandInUpsd {
  /** Each request, in order. */
  readonly asked: string[]
  /** What is answered from now on; null: nothing. */
  answer: string | null
  /** What is answered to a line that begins so, whatever `answer` says. */
  readonly answers: Map<string, string>
}

export function standInUpsd(stream: SimulatedByteStream): StandInUpsd {
  const upsd: StandInUpsd = { asked: [], answer: null, answers: new Map() }
  const answerTo = (line: string): string | null => {
    for (const [beginning, answer] of upsd.answers) if (line.startsWith(beginning)) return answer
    return upsd.answer
  }
  let rest = ''
  stream.sent.listen(bytes => {
    const lines = `${rest}${new TextDecoder().decode(bytes)}`.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      upsd.asked.push(line)
      const answer = answerTo(line)
      if (answer !== null) stream.receive(new TextEncoder().encode(answer))
    }
  })
  return upsd
}

export const listOf = (ups: string, variables: Readonly<Record<string, string>>): string =>
  [
    `BEGIN LIST VAR ${ups}`,
    ...Object.entries(variables).map(([name, value]) => `VAR ${ups} ${name} "${value}"`),
    `END LIST VAR ${ups}`,
    '',
  ].join('\n')
