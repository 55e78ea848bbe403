/**
 * Turns what comes from outside into types, and a failed check into a ConfigError that names path, value and rule.
 * The only file that imports the schema library: the rest of the house uses these words.
 */
import { z } from 'zod'
import { ConfigError, type Problem } from './errors.js'
import { nearest } from './nearest.js'

export type Schema<T> = z.ZodType<T>
export type Of<S> = S extends z.ZodType ? z.output<S> : never
type Fields = Readonly<Record<string, z.ZodType>>

/** Unknown keys are errors: a misspelt setting must not be silently ignored. */
export const object = <const F extends Fields>(fields: F): z.ZodObject<F, z.core.$strict> =>
  z.strictObject(fields, {
    error: issue =>
      issue.code === 'unrecognized_keys' ? unknownKeys(issue.keys, Object.keys(fields)) : undefined,
  })

const between = (range: { min: number; max: number }): string =>
  `must be between ${range.min} and ${range.max}`

const within = (range: { min: number; max: number }) => [
  z.gte(range.min, between(range)),
  z.lte(range.max, between(range)),
]

const ofLength = ({ min = 0, max }: { max: number; min?: number }) => [
  z.minLength(min, `must have at least ${min} characters`),
  z.maxLength(max, `must have at most ${max} characters`),
]

/*
 * All rules of a shape at once: each call of a rule by itself makes a copy of the whole shape, which is 8 kB.
 */
export const integer = (range: { min: number; max: number }): z.ZodNumber =>
  z.number().check(z.int('must be a whole number'), ...within(range))

export const number = (range: { min: number; max: number }): z.ZodNumber =>
  z.number().check(...within(range))

export const string = (options: { max: number; min?: number }): z.ZodString =>
  z.string().check(...ofLength(options))

/** A text of a given form; `form` says it in words: "lower-case letters, digits and dashes". */
export const pattern = (expression: RegExp, form: string, max = 128): z.ZodString =>
  z.string().check(...ofLength({ max }), z.regex(expression, `must be ${form}`))

/** What things in this house are called: in configs, shows and topics. */
export const name = pattern(
  /^[a-z0-9][a-z0-9-]{0,62}$/,
  'lower-case letters, digits and dashes, at most 63',
  64,
)

export const boolean = z.boolean()
/** A value that only the receiver understands; bounded by the size of the message it came in. */
export const unknown = z.unknown()

export const oneOf = <const T extends readonly [string, ...string[]]>(
  ...allowed: T
): z.ZodEnum<z.core.util.ToEnum<T[number]>> => z.enum(allowed)

export const literal = <const T extends string | number | boolean>(value: T): z.ZodLiteral<T> =>
  z.literal(value)

export const list = <T extends z.ZodType>(
  item: T,
  options: { max: number; min?: number },
): z.ZodArray<T> =>
  z
    .array(item)
    .min(options.min ?? 0, `must have at least ${options.min ?? 0} entries`)
    .max(options.max, `must have at most ${options.max} entries`)

export const table = <T extends z.ZodType>(
  key: z.ZodType<string, string>,
  value: T,
  options: { max: number },
): z.ZodType<Record<string, z.output<T>>> =>
  z
    .record(key, value)
    .refine(
      entries => Object.keys(entries).length <= options.max,
      `must have at most ${options.max} entries`,
    )

/** The first shape that fits; when none does, the problems of the nearest one are reported. */
export const either = <const T extends readonly [z.ZodType, z.ZodType, ...z.ZodType[]]>(
  ...shapes: T
): z.ZodUnion<T> => z.union(shapes)

/** Like `either`, with the allowed forms in words for a value that is near none of them. */
export const eitherForm = <const T extends readonly [z.ZodType, z.ZodType, ...z.ZodType[]]>(
  form: string,
  ...shapes: T
): z.ZodUnion<T> => z.union(shapes, { error: `must be ${form}` })

/** Shapes told apart by the value of one key. */
export const choice = <const T extends readonly [z.ZodObject, ...z.ZodObject[]]>(
  key: string,
  ...shapes: T
): z.ZodDiscriminatedUnion<T> =>
  z.discriminatedUnion(key, shapes as never, {
    error: issue => (issue.code === 'invalid_union' ? anyOf(kindsOf(key, shapes)) : undefined),
  }) as never

const kindsOf = (key: string, shapes: readonly z.ZodObject[]): readonly unknown[] =>
  shapes.flatMap(({ shape }) => [...(shape[key]?._zod.values ?? [])])

const anyOf = (values: readonly unknown[]): string =>
  `must be ${values.map(value => JSON.stringify(value)).join(' or ')}`

export const optional = <T extends z.ZodType>(schema: T): z.ZodOptional<T> => schema.optional()
export const nullable = <T extends z.ZodType>(schema: T): z.ZodNullable<T> => schema.nullable()
/** A missing key takes the default; a present key must still be right. */
export const withDefault = <T extends z.ZodType>(
  schema: T,
  fallback: z.util.NoUndefined<z.output<T>>,
): z.ZodDefault<T> => schema.default(fallback)

/** Reads a text into another value; `read` answers null when the text is not of the form. */
export const parsed = <T>(form: string, read: (text: string) => T | null): z.ZodType<T, string> =>
  z
    .string()
    .max(128)
    .transform((text, context) => {
      const value = read(text)
      if (value !== null) return value
      context.addIssue({ code: 'custom', message: `must be ${form}`, input: text })
      return z.NEVER
    })

/** Finds where a path stands in the text it came from. */
export type Locate = (path: readonly PropertyKey[]) => Problem['place']

/**
 * @param root what the document is called in messages: `box`, `show`, `payload`
 * @throws ConfigError with every problem found
 */
export function check<T>(
  schema: z.ZodType<T>,
  value: unknown,
  root: string,
  options: { locate?: Locate; code?: 'config.invalid' | 'show.invalid' } = {},
): T {
  const result = schema.safeParse(value, { reportInput: true })
  if (result.success) return result.data
  throw new ConfigError(
    problemsOf(result.error.issues, root, options.locate ?? (() => null)),
    options.code,
  )
}

/** JSON Schema (draft 2020-12, or draft-07 for AsyncAPI) of what a sender has to write. */
export function jsonSchema(
  schema: z.ZodType,
  target: 'draft-2020-12' | 'draft-07' = 'draft-2020-12',
): Record<string, unknown> {
  const {
    $schema: _,
    '~standard': __,
    ...rest
  } = z.toJSONSchema(schema, { target, io: 'input' }) as Record<string, unknown>
  return rest
}

export function pathText(root: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, step) =>
      typeof step === 'number'
        ? `${text}[${step}]`
        : /^[A-Za-z_][\w-]*$/.test(String(step))
          ? `${text}.${String(step)}`
          : `${text}[${JSON.stringify(String(step))}]`,
    root,
  )
}

type Issue = z.core.$ZodIssue

/** A person mends the first few and looks again; a hundred thousand would take longer to tell than the show lasts. */
const TOLD_MAX = 100

function problemsOf(
  issues: readonly Issue[],
  root: string,
  locate: Locate,
  above: readonly PropertyKey[] = [],
): Problem[] {
  return issues.slice(0, TOLD_MAX).flatMap(issue => {
    const path = [...above, ...issue.path]
    if (issue.code === 'invalid_union' && issue.errors.length > 0) {
      const closest = [...issue.errors].sort(
        (a, b) => depth(b) - depth(a) || a.length - b.length,
      )[0]
      if (closest && depth(closest) > 0) return problemsOf(closest, root, locate, path)
    }
    if (issue.code === 'unrecognized_keys') {
      const messages = issue.message.split('\n')
      return issue.keys.slice(0, TOLD_MAX).map((key, at) => ({
        path: pathText(root, [...path, key]),
        message: messages[at] ?? 'is not a known setting',
        place: locate([...path, key]),
      }))
    }
    return [
      {
        path: pathText(root, path),
        message: `${ruleOf(issue)}${shown(issue)}`,
        place: locate(path),
      },
    ]
  })
}

/** How far into the value a failed alternative got: the one that got furthest is the one that was meant. */
const depth = (issues: readonly Issue[]): number =>
  issues.reduce((deepest, issue) => Math.max(deepest, issue.path.length), 0)

function ruleOf(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is missing' : `must be ${article(issue.expected)}`
    case 'invalid_value':
      return anyOf(issue.values)
    case 'invalid_union':
      if (issue.message.startsWith('must be ')) return issue.message
      return 'has none of the allowed forms'
    case 'invalid_key':
      return issue.issues[0]?.message ?? 'is not an allowed name'
    default:
      return issue.message
  }
}

const article = (expected: string): string =>
  ({
    string: 'a text',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
    array: 'a list',
    object: 'an object',
    record: 'an object',
    null: 'null',
  })[expected] ?? expected

/** Settings of these names are for nobody's eyes: a problem says what is wrong with them, not what they are. */
const SECRET = /^(?:password|secret|token)$/i

function shown(issue: Issue): string {
  if (SECRET.test(String(issue.path.at(-1)))) return ''
  const value = inputOf(issue)
  if (value === undefined || issue.code === 'invalid_key') return ''
  const text = textOf(value)
  const short = text.length > 60 ? `${text.slice(0, 57)}...` : text
  const hint =
    issue.code === 'invalid_value' && typeof value === 'string'
      ? nearest(value, issue.values.map(String))
      : null
  return `, is ${short}${hint === null ? '' : ` (did you mean "${hint}"?)`}`
}

/** What was given; for shapes told apart by a key, what was given for that key; nothing for a rule over many keys. */
function inputOf(issue: Issue): unknown {
  const { input } = issue
  if (issue.code === 'custom' && typeof input === 'object') return undefined
  if (!('discriminator' in issue) || typeof input !== 'object' || input === null) return input
  return Object.entries(input).find(([key]) => key === issue.discriminator)?.[1]
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 100))
  if (typeof value !== 'object' || value === null) return String(value)
  return Array.isArray(value) ? 'a list' : 'an object'
}

function unknownKeys(keys: readonly string[], known: readonly string[]): string {
  return keys
    .slice(0, TOLD_MAX)
    .map(key => {
      const meant = nearest(key, known)
      return meant === null
        ? `is not a known setting; known are ${known.join(', ')}`
        : `is not a known setting (did you mean "${meant}"?)`
    })
    .join('\n')
}
