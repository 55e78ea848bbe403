/** Checks a box.json, an ota.json or a show as far as that can be done without the machine it is for. */
import { readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { checkUpdaterConfig } from '../../ota/updater/updater-config.js'
import { type BoxConfig, readBoxConfig } from '../config.js'
import { readDocument, type TextDocument } from '../core/document.js'
import { ConfigError, messageOf } from '../core/errors.js'
import type { Keys } from '../ports/keys.js'
import type { PrintShop } from '../print-shop.js'
import { letterWarnings } from '../services/printing/resolve.js'
import { readTemplate } from '../services/printing/template.js'
import { type CheckContext, checkShowDocument } from '../services/show/check-show.js'
import type { KnownDevice } from '../services/show/draft.js'
import type { CheckedFile } from './actions.js'
import { isCode } from './control.js'
import { CliFailure, exitCodes } from './failure.js'

const FILE_BYTES_MAX = 1024 * 1024

export interface CheckTools {
  readonly keys: Keys
  /**
   * Fits the devices of the file to a board, without touching one.
   * @returns lights, captures, inputs and chords
   * @throws ConfigError with every problem
   */
  readonly fit: (config: BoxConfig) => readonly KnownDevice[]
  /**
   * Reads the templates and pictures that the file names.
   * @param folder of the file
   * @throws ConfigError with every problem
   */
  readonly printShop: (folder: string, config: BoxConfig) => Promise<PrintShop>
}

/** @throws ConfigError with every problem; CliFailure when the file cannot be read */
export async function checkFile(file: string, tools: CheckTools): Promise<CheckedFile> {
  const text = await readText(file)
  const document = readDocument(text, 'file', 'config.invalid')
  if (isTemplate(document.value)) return checkTemplate(file, text)
  if (isUpdaterConfig(file, document.value)) return checkUpdater(file, document)
  return isBoxConfig(document.value)
    ? checkBox(file, document, tools)
    : checkItself(document, { ...tools, box: null, devices: null, templates: null })
}

/** @throws CliFailure in one sentence */
export async function readText(file: string): Promise<string> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    const why = isCode(cause, 'ENOENT') ? 'there is no such file' : messageOf(cause)
    throw new CliFailure(exitCodes.usage, `${file} cannot be read: ${why}`, { cause })
  })
  if (bytes.length > FILE_BYTES_MAX)
    throw new CliFailure(exitCodes.usage, `${file} is larger than ${FILE_BYTES_MAX} bytes`)
  return bytes.toString('utf8')
}

/** A show has cues and no box; a file with neither is taken for the one whose first message helps more. */
const isBoxConfig = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'box' in value && !('cues' in value)

const isTemplate = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  'apiVersion' in value &&
  `${value.apiVersion}`.startsWith('ticket/')

/** By its name, or by a setting that only such a file has: who the box is stands in box.json, too. */
const isUpdaterConfig = (file: string, value: unknown): boolean =>
  basename(file) === 'ota.json' ||
  (isBoxConfig(value) && UPDATER_ONLY.some(key => hasKey(value, key)))

const UPDATER_ONLY = ['repositories', 'sticks', 'checkMinutes', 'isMetered', 'policy', 'gate', 'os']

const hasKey = (value: unknown, key: string): boolean =>
  typeof value === 'object' && value !== null && key in value

async function checkUpdater(file: string, { value, locate }: TextDocument): Promise<CheckedFile> {
  const { tour, box, repositories, sticks, venue } = checkUpdaterConfig(value, locate)
  const isLeftOut = venue !== null && venue.boxes.length > 0 && !venue.boxes.includes(box)
  const warnings = [
    ...(repositories.length + sticks.length === 0
      ? ['ota: "repositories" and "sticks" are empty: there is nobody to get a release from']
      : []),
    ...(isLeftOut ? [`ota.venue.boxes: does not name ${box}, which this box is`] : []),
    ...(await strangeness(join(dirname(file), 'box.json'), { tour, box })),
  ]
  return { kind: 'ota', name: box, warnings }
}

/** The box and its updater call the box by one name, or a new release is never heard on its broker. */
async function strangeness(
  boxFile: string,
  own: Readonly<Record<'tour' | 'box', string>>,
): Promise<readonly string[]> {
  const bytes = await readFile(boxFile, 'utf8').catch(() => null)
  if (bytes === null) return []
  const { value } = readDocument(bytes, 'box', 'config.invalid')
  const other: Readonly<Record<string, unknown>> =
    typeof value === 'object' && value !== null ? { ...value } : {}
  return (['tour', 'box'] as const)
    .filter(key => typeof other[key] === 'string' && other[key] !== own[key])
    .map(key => `ota.${key}: is "${own[key]}", and "${other[key]}" in ${boxFile}`)
}

/** Letters are held against the code page that printers are pinned to when nobody says otherwise. */
function checkTemplate(file: string, text: string): CheckedFile {
  try {
    const { name, blocks } = readTemplate(text, file)
    return { kind: 'template', name, warnings: letterWarnings(blocks, 'cp858') }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    // Whoever shows the problems names the file.
    throw new ConfigError(
      error.problems.map(problem => ({ ...problem, path: problem.path.replace(`${file}: `, '') })),
    )
  }
}

async function checkBox(
  file: string,
  document: TextDocument,
  tools: CheckTools,
): Promise<CheckedFile> {
  const config = readBoxConfig(document.value, document.locate)
  const devices = placed(document, () => tools.fit(config))
  const { templates } = await tools.printShop(dirname(file), config)
  const known = { ...tools, devices, templates: [...templates.keys()] }
  const warnings =
    config.show === null
      ? []
      : await checkItsShow(join(dirname(file), config.show.file), config, known)
  return { kind: 'box', name: config.box, warnings }
}

/** A wrong show makes the box's file wrong: the box would not start with it. */
async function checkItsShow(
  showFile: string,
  config: BoxConfig,
  known: Pick<CheckContext, 'keys' | 'devices' | 'templates'>,
): Promise<readonly string[]> {
  const context = { ...known, box: config.box }
  const text = await readText(showFile)
  try {
    return checkItself(readDocument(text, 'show', 'show.invalid'), context).warnings
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new ConfigError(
      error.problems.map(({ path, message, place }) => ({
        path: `${showFile}:${place ? `${place.line}:${place.column}:` : ''} ${path}`,
        message,
        place: null,
      })),
      'show.invalid',
    )
  }
}

function checkItself(document: TextDocument, context: CheckContext): CheckedFile {
  const show = checkShowDocument(document, context)
  return { kind: 'show', name: show.name, warnings: show.warnings }
}

/** The second pass knows paths; the text knows where they stand. */
function placed<T>(document: TextDocument, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new ConfigError(
      error.problems.map(problem => ({
        ...problem,
        place: problem.place ?? document.locate(stepsOf(problem.path)),
      })),
    )
  }
}

/** `box.devices[2].options.pulseMs` as `devices`, 2, `options`, `pulseMs`. */
export function stepsOf(path: string): readonly (string | number)[] {
  const steps: (string | number)[] = []
  for (const [, name, index, quoted] of path.matchAll(
    /\.([\w-]+)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]/g,
  )) {
    if (name !== undefined) steps.push(name)
    else if (index !== undefined) steps.push(Number(index))
    else if (quoted !== undefined) steps.push(quoted)
  }
  return steps
}
