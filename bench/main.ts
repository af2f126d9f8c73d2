/** `npm run bench [-- --runs N] [--only NAME] [--json FILE]`: medians of the runs, beside their targets. */
import { writeFile } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { median, type Figures, type Part } from './measure.ts'
import { durable } from './parts/durable.ts'
import { files } from './parts/files.ts'
import { framer } from './parts/framer.ts'
import { gatewayClients, gatewayHistory, gatewayRelay } from './parts/gateway.ts'
import { history } from './parts/history.ts'
import { limits } from './parts/limits.ts'
import { matrixIntake, matrixPresence, matrixRelay, matrixRestart } from './parts/matrix.ts'
import { peers } from './parts/peers.ts'
import { puppets } from './parts/puppets.ts'
import { fanOut, logins, memory, mixedFanOut, relay, signIns } from './parts/service.ts'
import { pinned } from './processes.ts'

const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    only: { type: 'string' },
    json: { type: 'string' },
  },
})

const parts: readonly Part[] = [
  limits,
  framer,
  durable,
  history,
  relay,
  signIns,
  logins,
  memory,
  fanOut,
  mixedFanOut,
  peers,
  matrixRelay,
  matrixIntake,
  matrixRestart,
  matrixPresence,
  gatewayRelay,
  gatewayClients,
  gatewayHistory,
  puppets,
  files,
]
const chosen = parts.filter((part) => options.only === undefined || part.name.includes(options.only))
const runs = Math.max(1, Number(options.runs))

const shown = (value: number): string =>
  value >= 1000 ? Math.round(value).toLocaleString('en') : value >= 100 ? value.toFixed(0) : value.toFixed(2)

const machine = `${cpus().length} cores, ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`
console.log(`msn-bridge bench: ${machine}`)
console.log(
  `medians of ${runs} runs; server and load ${pinned() ? 'on a core of their own each' : 'NOT pinned (no taskset)'}`,
)
console.log(
  'the rate limits of the service and of the gateway are OFF for these measurements; the heap is set as the daemon sets it\n',
)

const results: Record<string, Figures> = {}
for (const part of chosen) {
  console.log(`${part.name}: ${part.about}`)
  const taken: Figures[] = []
  for (let run = 0; run < runs; run++) taken.push(await part.run())
  const names = Object.keys(taken[0] ?? {})
  const medians = Object.fromEntries(
    names.map((name) => [name, median(taken.map((figures) => figures[name] ?? Number.NaN))]),
  )
  results[part.name] = medians
  for (const name of names) {
    const value = medians[name] ?? Number.NaN
    const target = part.targets[name]
    const goal =
      target?.min !== undefined
        ? `target ${shown(target.min)} or more: ${value >= target.min ? 'met' : 'MISSED'}`
        : target?.max !== undefined
          ? `target ${shown(target.max)} or less: ${value <= target.max ? 'met' : 'MISSED'}`
          : ''
    console.log(`  ${name.replaceAll('_', ' ').padEnd(22)} ${shown(value).padStart(12)}   ${goal}`)
  }
}
if (options.json !== undefined) {
  await writeFile(options.json, `${JSON.stringify({ machine, runs, pinned: pinned(), results }, undefined, 2)}\n`)
}
