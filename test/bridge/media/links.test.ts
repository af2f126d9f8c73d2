import fc from 'fast-check'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { MediaLinks, mediaKey, safeName } from '../../../bridge/media/links.ts'
import { fileHeaders } from '../../../bridge/media/types.ts'
import type { NetworkId } from '../../../bridge/model/ids.ts'
import '../../kit/properties.ts'

const HOUR = 3_600_000
const links = (key = 'k') => new MediaLinks({ key, publicUrl: 'https://files.example.org/x', expireMs: HOUR })
const file = { network: 'matrix' as NetworkId, ref: 'mxc://hs/abc', name: 'cat.png' }
const pathOf = (url: string): string => new URL(url).pathname

test('a link leads to its file until it is too old, whatever the proxy does to the path before it', () => {
  const url = links().of(file, 0)
  expect(url).toMatch(/^https:\/\/files\.example\.org\/x\/media\/matrix\/[\w-]+\/[0-9a-z]+-[\w-]{22}\/cat\.png$/)
  const read = { kind: 'file', ...file }
  expect(links().read(pathOf(url), HOUR - 1)).toEqual(read)
  expect(links().read(pathOf(url).slice('/x'.length), HOUR - 1)).toEqual(read)
  expect(links().read(pathOf(url), HOUR)).toEqual({ kind: 'gone' })
})

test('a link of another key, or with one letter changed, is forged or none', () => {
  const path = pathOf(links().of(file, 0))
  expect(links('other').read(path, 0)).toEqual({ kind: 'forged' })
  fc.assert(
    fc.property(fc.nat(path.length - 1), fc.constantFrom('a', 'B', '7', '-', '/', '%'), (at, letter) => {
      const changed = path.slice(0, at) + letter + path.slice(at + 1)
      if (changed === path || at < '/x/media/'.length) return
      const read = links().read(changed, 0)
      // The last letter of base64 has bits that mean nothing.
      expect(read.kind === 'file' ? { ...read, kind: undefined } : read).toEqual(
        read.kind === 'file' ? { ...file, kind: undefined } : { kind: expect.stringMatching(/none|forged/) },
      )
    }),
  )
})

test('whatever is asked for is answered, and what is linked is found', () => {
  fc.assert(
    fc.property(fc.string(), (path) => {
      expect(links().read(`/media/${path}`, 0).kind).toMatch(/none|forged/)
    }),
  )
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }),
      fc.string({ unit: 'binary' }),
      (ref, name) => {
        const given = { network: 'matrix' as NetworkId, ref: ref.toWellFormed(), name }
        const read = links().read(pathOf(links().of(given, 0)), 0)
        expect(read).toEqual({ kind: 'file', network: 'matrix', ref: given.ref, name: safeName(name) })
      },
    ),
  )
})

test.each([
  ['../../etc/passwd', 'passwd'],
  ['C:\\temp\\holiday photo.JPG', 'holiday_photo.JPG'],
  ['.htaccess', 'htaccess'],
  ['a"; filename=evil.exe', 'a_filename_evil.exe'],
  ['', 'file'],
  ['...', 'file'],
  ['/', 'file'],
  ['кот.png', 'кот.png'],
  [`${'x'.repeat(500)}.png`, `${'x'.repeat(76)}.png`],
])('%j is called %j', (name, safe) => {
  expect(safeName(name)).toBe(safe)
})

test('no name breaks a header', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (name) => {
      const header = fileHeaders('image/png', safeName(name))['content-disposition'] ?? ''
      expect(header).toMatch(/^inline; filename="[^"\\]+"; filename\*=UTF-8''[\w.!~*%-]+$/)
    }),
  )
})

test.each([
  ['image/png', 'image/png', 'inline'],
  ['IMAGE/JPEG; charset=x', 'image/jpeg', 'inline'],
  ['audio/ogg', 'audio/ogg', 'inline'],
  ['image/svg+xml', 'application/octet-stream', 'attachment'],
  ['text/html', 'application/octet-stream', 'attachment'],
  ['application/pdf', 'application/octet-stream', 'attachment'],
  [undefined, 'application/octet-stream', 'attachment'],
])('a file of type %s is given out as %s, %s', (mime, type, how) => {
  const headers = fileHeaders(mime, 'x.bin')
  expect(headers['content-type']).toBe(type)
  expect(headers['content-disposition']).toMatch(new RegExp(`^${how};`))
})

test('the key is made once, for nobody else to read', () => {
  const folder = mkdtempSync(join(tmpdir(), 'msn-bridge-media-'))
  try {
    const key = mediaKey(folder)
    expect(key.length).toBeGreaterThan(40)
    expect(mediaKey(folder)).toBe(key)
    expect(statSync(join(folder, 'media.key')).mode & 0o777).toBe(0o600)
    // Else anybody could make links with it.
    writeFileSync(join(folder, 'media.key'), '\n')
    expect(() => mediaKey(folder)).toThrow(/media\.key holds no key: bring it back, or delete it/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
