/** `npm run generate`: writes config.example.yaml and config.schema.json beside this file. */
import { writeFileSync } from 'node:fs'
import { exampleYaml, jsonSchema } from './example.ts'

writeFileSync(new URL('config.example.yaml', import.meta.url), exampleYaml())
writeFileSync(new URL('config.schema.json', import.meta.url), jsonSchema())
