/**
 * Templates of tickets: a document with placeholders, and the fields that fill them. What fills them is never read again:
 * a value that looks like a placeholder is printed as it is.
 */
import { barcodeContent } from '../../core/barcode.js'
import { readDocument } from '../../core/document.js'
import { assert, BoxError, ConfigError, messageOf, type Problem } from '../../core/errors.js'
import { suggestion, suggestionOrAll } from '../../core/nearest.js'
import { check, type Locate, pathText } from '../../core/schema.js'
import { type TicketDocument, ticketDocument } from '../../core/ticket-document.js'
import { type FieldRule, fieldProblem } from './fields.js'
import { filledBlock, placeholderProblem, placeholdersOf } from './placeholders.js'
import { type TemplateBlock, templateDocument } from './template-form.js'

export interface TicketField extends FieldRule {
  readonly name: string
  readonly isRequired: boolean
  /** What it is when nobody says. */
  readonly fallback: string
}

export interface TicketTemplate {
  readonly name: string
  readonly kind: 'redeemable' | 'receipt'
  readonly fields: readonly TicketField[]
  readonly blocks: readonly TemplateBlock[]
}

/** What every template may name without a field of its own. */
export interface BuiltInFields {
  readonly serial: string
  readonly box: string
  readonly tour: string
  /** By the venue's clock: `2027-03-01 20:15`. */
  readonly printedAt: string
  /** 0 for the first print, which `{{reprint}}` makes nothing of. */
  readonly reprint: number
}

const builtInNames = ['serial', 'box', 'tour', 'printedAt', 'reprint'] as const

/**
 * @param source what the text is called in messages, usually its file
 * @throws ConfigError naming source, path, line and column, rule and value of every problem
 */
export function readTemplate(text: string, source: string): TicketTemplate {
  const root = `${source}: template`
  const { value, locate } = readDocument(text, root, 'config.invalid')
  const document = check(templateDocument, value, root, { locate })
  const template = {
    name: document.name,
    kind: document.kind,
    fields: Object.entries(document.fields).map(([name, { default: fallback, ...rest }]) => ({
      ...{ name, fallback, max: rest.max, lines: rest.lines, isRequired: rest.isRequired },
      pattern: rest.pattern ?? null,
    })),
    blocks: document.blocks,
  }
  const problems = problemsOf(template, root, locate)
  if (problems.length > 0) throw new ConfigError(problems)
  return template
}

/** What the schema cannot see: names that fit each other, and defaults that fit their fields. */
function problemsOf(template: TicketTemplate, root: string, locate: Locate): readonly Problem[] {
  const told = (path: readonly PropertyKey[], message: string): Problem => ({
    path: pathText(root, path),
    message,
    place: locate(path),
  })
  const known = [...builtInNames, ...template.fields.map(({ name }) => name)]
  const inFields = template.fields.flatMap(one => {
    const message = problemOfField(one)
    return message === null ? [] : [told(['fields', one.name], message)]
  })
  const inBlocks = template.blocks.flatMap((block, index) =>
    placeholdersOf(block).flatMap(({ path, text }) => {
      const message = placeholderProblem(text, known)
      return message === null ? [] : [told(['blocks', index, ...path], message)]
    }),
  )
  const ofBlocks = template.blocks.flatMap((block, index) => {
    const found = problemOfBlock(block, template.fields)
    return found === null ? [] : [told(['blocks', index, found.key], found.message)]
  })
  return [...inFields, ...inBlocks, ...ofBlocks]
}

function problemOfField(one: TicketField): string | null {
  if (builtInNames.some(name => name === one.name)) return 'is built in, and needs no field'
  if (one.fallback === '') return null
  if (one.isRequired) return 'is required, so its default would never be used'
  const problem = fieldProblem(one, one.fallback)
  return problem === null ? null : `its default ${problem}`
}

interface BlockProblem {
  readonly key: string
  readonly message: string
}

function problemOfBlock(block: TemplateBlock, fields: readonly TicketField[]): BlockProblem | null {
  if (block.kind === 'table') return problemOfTable(block, fields)
  if (block.kind !== 'barcode' || block.content.includes('{{')) return null
  try {
    barcodeContent(block.symbology, block.content)
    return null
  } catch (error) {
    return { key: 'content', message: messageOf(error) }
  }
}

function problemOfTable(
  block: Extract<TemplateBlock, { readonly kind: 'table' }>,
  fields: readonly TicketField[],
): BlockProblem | null {
  const { repeat, rows, columns } = block
  const wide = rows.findIndex(row => row.length > columns.length)
  if (wide >= 0)
    return {
      key: 'rows',
      message: `row ${wide} has ${rows[wide]?.length} cells and the table ${columns.length} columns`,
    }
  if (repeat === undefined)
    return rows.length > 0 ? null : { key: 'kind', message: 'has neither rows nor a repeat' }
  const repeated = fields.find(({ name }) => name === repeat)
  if (repeated === undefined) {
    const names = fields.map(({ name }) => name)
    return { key: 'repeat', message: `is no field, is "${repeat}"${suggestion(repeat, names)}` }
  }
  return repeated.lines > 1
    ? null
    : { key: 'repeat', message: `needs a field of several lines, and "${repeat}" has one` }
}

/** @throws BoxError `ticket.invalid` naming the field and the rule */
export function fillTemplate(
  template: TicketTemplate,
  fields: Readonly<Record<string, string>>,
  builtIn: BuiltInFields,
): TicketDocument {
  const values = new Map([...builtInValues(builtIn), ...fieldValues(template, fields)])
  const meaning = (name: string): string => {
    const value = values.get(name)
    assert(value !== undefined, 'a template names only what it has')
    return value
  }
  const blocks = template.blocks.flatMap(block => filledBlock(block, meaning))
  try {
    return check(ticketDocument, { blocks }, 'ticket')
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw refusal(template, error.message)
  }
}

const builtInValues = (builtIn: BuiltInFields): readonly (readonly [string, string])[] =>
  builtInNames.map(name => [
    name,
    name === 'reprint' && builtIn.reprint === 0 ? '' : String(builtIn[name]),
  ])

function fieldValues(
  template: TicketTemplate,
  given: Readonly<Record<string, string>>,
): readonly (readonly [string, string])[] {
  const names = template.fields.map(({ name }) => name)
  const stranger = Object.keys(given).find(name => !names.includes(name))
  if (stranger !== undefined)
    throw refusal(template, `there is no field "${stranger}"${suggestionOrAll(stranger, names)}`)
  return template.fields.map(one => {
    const value = (given[one.name] ?? one.fallback).replaceAll('\r\n', '\n')
    const problem =
      value === '' ? (one.isRequired ? 'is required' : null) : fieldProblem(one, value)
    if (problem !== null) throw refusal(template, `the field "${one.name}" ${problem}`)
    return [one.name, value]
  })
}

const refusal = (template: TicketTemplate, message: string): BoxError =>
  new BoxError('ticket.invalid', `template "${template.name}": ${message}`)
