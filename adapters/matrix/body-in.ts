/** The content of a message -> what was said. Everything in it is untrusted. Pure. */
import type { FileRef, MessageBody } from '../../bridge/model/body.ts'
import type { NetworkId } from '../../bridge/model/ids.ts'
import { plain, type RichText } from '../../bridge/model/text.ts'
import { recordOf } from './untrusted.ts'
import { cleaned, MAX_TEXT, oneLine, shortened } from './clean.ts'
import { readHtml, type NameOf } from './html-in.ts'
import { parseMxc } from './mxc.ts'
import { NUDGE } from './outbound.ts'

type Content = Readonly<Record<string, unknown>>

/**
 * unreadable: something was said that cannot be passed on; `why` is a half-sentence after "your message was not passed on: ".
 * nothing: it is not for people.
 */
export type Body =
  | { readonly kind: 'body'; readonly body: MessageBody }
  | { readonly kind: 'unreadable'; readonly why: string }
  | { readonly kind: 'nothing' }

export interface BodyView {
  readonly network: NetworkId
  /** What bots say is passed on, too. */
  readonly notices: boolean
  readonly nameOf: NameOf
  /** It answers something, so that it may begin with a quote of that. */
  readonly reply: boolean
}

const NOTHING: Body = { kind: 'nothing' }
export const ENCRYPTED = 'it is encrypted, and the bridge has no key'

/** Longest name of a file, kind of file, place: UTF-16 units. */
const MAX_NAME = 200
const MAX_MIME = 100
const MAX_GEO = 200

export const readBody = (content: Content, view: BodyView): Body => {
  if (content[NUDGE] === true) return { kind: 'body', body: { kind: 'nudge' } }
  const { msgtype } = content
  switch (msgtype) {
    case 'm.emote':
      return said('action', content, view)
    case 'm.notice':
    case 'm.server_notice':
      return view.notices ? said('notice', content, view) : NOTHING
    case 'm.image':
    case 'm.file':
    case 'm.audio':
    case 'm.video':
      return readFile(MEDIA[msgtype], content, view)
    case 'm.location':
      return readPlace(content)
    case 'm.key.verification.request':
      return NOTHING
    default:
      // Kinds that nobody knows here have their words in `body`, as the specification asks.
      return typeof msgtype === 'string' ? said('text', content, view) : NOTHING
  }
}

const MEDIA = { 'm.image': 'image', 'm.file': 'file', 'm.audio': 'audio', 'm.video': 'video' } as const

export const readFile = (media: FileRef['media'], content: Content, view: BodyView): Body => {
  if (content['file'] !== undefined) return { kind: 'unreadable', why: ENCRYPTED }
  const { url } = content
  if (typeof url !== 'string' || parseMxc(url) === undefined)
    return { kind: 'unreadable', why: 'the file in it has no address' }
  const { body, filename } = content
  const captioned = typeof filename === 'string' && filename !== '' && filename !== body
  const { mimetype, size } = recordOf(content['info'])
  const mime = mimeOf(mimetype)
  const file: FileRef = {
    network: view.network,
    ref: url,
    name: fileName(captioned ? filename : body, media),
    media,
    ...(mime === undefined ? {} : { mime }),
    ...(Number.isSafeInteger(size) && (size as number) >= 0 ? { size: size as number } : {}),
  }
  return { kind: 'body', body: { kind: 'file', file, text: captioned ? (textOfContent(content, view) ?? []) : [] } }
}

const readPlace = (content: Content): Body => {
  const { geo_uri: geo, body } = content
  const words = typeof body === 'string' ? oneLine(body, MAX_NAME) : ''
  const place = typeof geo === 'string' && geo.length <= MAX_GEO && /^geo:[-+0-9.,;=A-Za-z]+$/.test(geo) ? geo : ''
  const text = words.includes(place) ? words : `${words === '' ? 'Location' : words}: ${place}`
  return text === '' ? NOTHING : { kind: 'body', body: { kind: 'text', text: plain(text) } }
}

const said = (kind: 'text' | 'action' | 'notice', content: Content, view: BodyView): Body => {
  const text = textOfContent(content, view)
  return text === undefined ? NOTHING : { kind: 'body', body: { kind, text } }
}

const textOfContent = (content: Content, view: BodyView): RichText | undefined => {
  const { body, format, formatted_body: html } = content
  if (format === 'org.matrix.custom.html' && typeof html === 'string') {
    const rich = readHtml(html, view.nameOf, view.network)
    if (rich !== undefined) return rich
  }
  if (typeof body !== 'string') return undefined
  const text = cleaned(view.reply ? withoutFallback(body) : body)
  return text.trim() === '' ? undefined : plain(shortened(text, MAX_TEXT))
}

/** `> <@alice:example.org> hello`, an empty line, and only then the answer. */
export const withoutFallback = (body: string): string => {
  if (!/^> (\* )?<@[^>\n]*>/.test(body)) return body
  const lines = body.split('\n')
  const end = lines.findIndex((line) => !line.startsWith('>'))
  return end === -1 ? '' : lines.slice(lines[end] === '' ? end + 1 : end).join('\n')
}

/** No path, nothing invisible: it is shown to people, and stands in links. */
const fileName = (name: unknown, media: FileRef['media']): string => {
  const last = typeof name === 'string' ? (name.split(/[/\\]/).at(-1) ?? '') : ''
  const line = oneLine(last, MAX_NAME)
  return line === '' || /^\.+$/.test(line) ? media : line
}

const mimeOf = (mime: unknown): string | undefined =>
  typeof mime === 'string' && mime.length <= MAX_MIME && /^[\w.+-]+\/[\w.+-]+$/.test(mime)
    ? mime.toLowerCase()
    : undefined
