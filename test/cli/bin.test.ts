import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { makeFolder, removeFolder } from '../kit/daemon.ts'

const BIN = fileURLToPath(new URL('../../bin/msn-bridge.js', import.meta.url))
const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
/** Makes this runtime claim to be an old one, before the binary looks. */
const OLD = 'data:text/javascript,Object.defineProperty(process.versions,"node",{value:"20.19.0"})'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) removeFolder(folder)
})

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const node = (...args: readonly string[]): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(process.execPath, args, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr })
    })
  })

/** The binary in a package of its own, with or without what it needs. */
const packageWith = (what: { readonly dist?: string; readonly runtime?: string }): string => {
  const folder = makeFolder()
  folders.push(folder)
  for (const name of ['bin', 'dist', 'node_modules/.bin']) mkdirSync(join(folder, name), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  copyFileSync(BIN, join(folder, 'bin/msn-bridge.js'))
  if (what.dist !== undefined) writeFileSync(join(folder, 'dist/main.js'), what.dist)
  if (what.runtime !== undefined) writeFileSync(join(folder, 'node_modules/.bin/node'), what.runtime, { mode: 0o755 })
  return join(folder, 'bin/msn-bridge.js')
}

test('with a new Node it runs at once', async () => {
  expect(await node(BIN, '--version')).toMatchObject({ code: 0, stderr: '' })
  expect(await node(BIN, 'dance')).toMatchObject({ code: 2, stderr: 'msn-bridge: there is no command dance\n' })
})

test('with an old Node it runs on the one that the package brings along, with its exit code', async () => {
  const bin = packageWith({
    dist: 'export {}',
    runtime: '#!/bin/sh\nshift\necho "pinned: $*"\nexit 7\n',
  })
  expect(await node('--import', OLD, bin, 'account', 'list')).toEqual({
    code: 7,
    stdout: 'pinned: account list\n',
    stderr: '',
  })
})

test('with an old Node and nothing else it says what is needed', async () => {
  expect(await node('--import', OLD, packageWith({ dist: 'export {}' }))).toMatchObject({
    code: 1,
    stderr: 'msn-bridge: it needs Node 24 or newer, and this is 20.19.0: install that, or run "npm ci" here\n',
  })
})

test('when it is not built it says how to', async () => {
  const { code, stderr } = await node(packageWith({}))
  expect(code).toBe(1)
  expect(stderr).toMatch(/^msn-bridge: it is not built yet: run "npm ci" and "npm run build" in .+\n$/)
})

test('what is built says so, too, when an old Node runs it without the binary', async () => {
  const { code, stdout, stderr } = await node('--import', OLD, MAIN, 'account', 'list')
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/^msn-bridge: it needs Node 24 or newer, and this is 20\.19\.0: .+\n$/)
})
