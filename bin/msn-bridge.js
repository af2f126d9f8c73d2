#!/usr/bin/env node
// Written for old versions of Node, too: it finds a new one, or says what is needed.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const NEEDED = 24
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const entry = join(root, 'dist', 'main.js')

/** The runtime that the package brings along: beside us in a checkout, beside the package when it is installed. */
function pinnedRuntime() {
  const packages = [join(root, 'node_modules'), dirname(root)]
  for (const folder of packages) {
    for (const place of [`node-${process.platform}-${process.arch}/bin/node`, '.bin/node']) {
      const file = join(folder, place)
      if (existsSync(file)) return file
    }
  }
  return undefined
}

function fail(message) {
  console.error(`msn-bridge: ${message}`)
  process.exitCode = 1
}

function runWith(runtime) {
  const child = spawn(runtime, [entry, ...process.argv.slice(2)], { stdio: 'inherit' })
  // The terminal sends its signals to both of us; what is sent to us alone is passed on.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => fail(`${runtime} does not run (${error.message}): install Node ${NEEDED} or newer`))
  child.on('exit', (code) => {
    process.exitCode = code === null ? 1 : code
  })
}

if (!existsSync(entry)) {
  fail('it is not built yet: run "npm ci" and "npm run build" in ' + root)
} else if (Number(process.versions.node.split('.')[0]) >= NEEDED) {
  await import(pathToFileURL(entry).href)
} else {
  const runtime = pinnedRuntime()
  if (runtime === undefined) {
    fail(`it needs Node ${NEEDED} or newer, and this is ${process.versions.node}: install that, or run "npm ci" here`)
  } else {
    runWith(runtime)
  }
}
