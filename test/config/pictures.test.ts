/** Pictures that the config gives to accounts. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { checkConfig } from '../../config/load.ts'
import { CONFIG_PICTURES, configuredPictures, openPicture } from '../../config/pictures.ts'
import { noisyPng } from '../kit/png.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'msn-bridge-config-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const check = (picture: string, pictures = '{}') =>
  checkConfig(
    `networks:
  - { id: retro, type: msn, server: "127.0.0.1:1863", passport: { login: "https://127.0.0.1/login" }, pictures: ${pictures} }
accounts:
  - { id: relay, network: retro, login: relay@home.example, password: { env: X }, picture: ${picture} }
`,
    { name: 'config.yaml', base: folder, env: { X: 'x' } },
  )
const wrongOf = (picture: string, pictures?: string): readonly string[] => {
  const result = check(picture, pictures)
  return result.kind === 'broken' ? result.problems : []
}
const neverTold = (account: string, detail: string) => {
  throw new Error(`${account}: ${detail}`)
}
const PLACE = 'config.yaml:4:92 accounts.0.picture:'

test('one that is there, is a picture and fits is opened by its account', async () => {
  const face = noisyPng(40, 1)
  writeFileSync(join(folder, 'me.png'), face)
  const result = check('me.png')
  if (result.kind === 'broken') throw new Error(result.problems.join('\n'))
  const file = [...(await configuredPictures(result.config, neverTold)).values()][0]
  expect(file).toMatchObject({ network: CONFIG_PICTURES, media: 'image' })
  const opened = await openPicture(result.config, file?.ref ?? '')
  if (opened.kind === 'refused') throw new Error(opened.detail)
  expect((await buffer(opened.body)).equals(face)).toBe(true)
  // Another picture under the same name is another one.
  writeFileSync(join(folder, 'me.png'), noisyPng(40, 2))
  const [other] = (await configuredPictures(result.config, neverTold)).values()
  expect(other?.ref).not.toBe(file?.ref)
  expect(await openPicture(result.config, 'nobody/x')).toMatchObject({ kind: 'refused', reason: 'not-found' })
})

test('one that is gone when it is wanted keeps nothing from starting', async () => {
  writeFileSync(join(folder, 'me.png'), noisyPng(4, 1))
  const result = check('me.png')
  rmSync(join(folder, 'me.png'))
  if (result.kind === 'broken') throw new Error(result.problems.join('\n'))
  const told: string[] = []
  const pictures = await configuredPictures(result.config, (account, detail) => told.push(`${account} ${detail}`))
  expect(pictures.size).toBe(0)
  expect(told).toEqual([expect.stringMatching(/^relay Error: ENOENT/)])
  expect(await openPicture(result.config, 'relay/x')).toMatchObject({ kind: 'refused' })
})

test('one that is not there, no picture, or too large is told with its place and what to do', () => {
  expect(wrongOf('me.png')).toEqual([
    `${PLACE} ${folder}/me.png cannot be read (ENOENT): check the path and its permissions`,
  ])
  writeFileSync(join(folder, 'me.png'), 'hello')
  expect(wrongOf('me.png')).toEqual([`${PLACE} ${folder}/me.png is no PNG, JPEG or GIF: give another file`])
  writeFileSync(join(folder, 'me.png'), noisyPng(60, 1))
  expect(wrongOf('me.png', '{ max_kb: 2 }')[0]).toMatch(
    /accounts\.0\.picture: \S+me\.png has 4 kB and may have 2: make it smaller, or raise pictures\.max_kb of the network$/,
  )
})
