/** The schema of CycloneDX 1.6 as its makers publish it. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Ajv, type ValidateFunction } from 'ajv'

const require = createRequire(import.meta.url)
/** What the schema's references begin with. */
const BASE = 'http://cyclonedx.org/schema/'
const FOLDER = '@cyclonedx/cyclonedx-library/package.json'

const schema = (name: string): object =>
  JSON.parse(
    readFileSync(require.resolve(FOLDER).replace('package.json', `res/schema/${name}`), 'utf8'),
  )

function schemaCheck(): ValidateFunction {
  const ajv = new Ajv({
    strict: false,
    allErrors: true,
    formats: {
      'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
      'iri-reference': /^[^\s]*$/,
      uri: /^[a-z]+:[^\s]*$/,
      'idn-email': /@/,
      string: true,
    },
  })
  for (const name of ['spdx', 'jsf-0.82', 'cryptography-defs'])
    ajv.addSchema(schema(`${name}.SNAPSHOT.schema.json`), `${BASE}${name}.SNAPSHOT.schema.json`)
  return ajv.compile(schema('bom-1.6.SNAPSHOT.schema.json'))
}

const validate = schemaCheck()

/** Empty when the document is right. */
export function problemsOfSbom(document: unknown): string[] {
  if (validate(document)) return []
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath}: ${message}`)
}
