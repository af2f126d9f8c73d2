/** Puts files from elsewhere onto our homeserver, streamed. The library would hold them whole in memory. */
import * as http from 'node:http'
import * as https from 'node:https'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Files } from '../../bridge/adapter.ts'
import type { FileRef } from '../../bridge/model/body.ts'
import type { NetworkId } from '../../bridge/model/ids.ts'
import { notOpened, type NotOpened } from './answers.ts'
import { parseMxc } from './mxc.ts'
import type { Failure } from './types.ts'
import { jsonOf, recordOf, textIn } from './untrusted.ts'

export interface UploadsDeps {
  readonly network: NetworkId
  /** As in the config: `http://127.0.0.1:8008`. */
  readonly homeserver: string
  readonly token: string
  readonly files: Files
}

/** link: the homeserver will not have it, so people get the link. */
export type Placed =
  | { readonly kind: 'placed'; readonly file: FileRef }
  | { readonly kind: 'link' }
  | { readonly kind: 'retry'; readonly result: NotOpened }

/** Without a byte moving for so long an upload has failed. Milliseconds. */
const STALLED_MS = 60_000
/** What is read of the answer. Bytes. */
const MAX_ANSWER_BYTES = 10_000
/** Files that are remembered, so that a delivery that is tried again does not bring them again. */
const MAX_REMEMBERED = 500

export class Uploads {
  readonly #deps: UploadsDeps
  readonly #url: URL
  /** By network and ref. */
  readonly #placed = new Map<string, string>()

  constructor(deps: UploadsDeps) {
    this.#deps = deps
    this.#url = new URL(`${deps.homeserver.replace(/\/+$/, '')}/_matrix/media/v3/upload`)
  }

  /** Never rejects. */
  async place(file: FileRef, signal: AbortSignal): Promise<Placed> {
    const { network, files } = this.#deps
    if (file.network === network) return { kind: 'placed', file }
    const key = `${file.network} ${file.ref}`
    const known = this.#placed.get(key)
    if (known !== undefined) return { kind: 'placed', file: { ...file, network, ref: known } }
    const media = await files.open(file, signal)
    if (media.kind === 'refused') return { kind: 'link' }
    const { body, mime, size } = media
    // Homeservers want to know before they begin.
    if (size === undefined) {
      await body.cancel().catch(() => undefined)
      return { kind: 'link' }
    }
    const type = file.mime ?? mime ?? 'application/octet-stream'
    const answer = await this.#send(Readable.fromWeb(body), { name: file.name, type, size }, signal)
    if (typeof answer !== 'string')
      return answer.kind === 'refused'
        ? { kind: 'link' }
        : { kind: 'retry', result: notOpened(answer, 'the file could not be brought to the homeserver') }
    this.#remember(key, answer)
    return { kind: 'placed', file: { ...file, network, ref: answer, size } }
  }

  /** The address of the file there. */
  async #send(
    body: Readable,
    about: { readonly name: string; readonly type: string; readonly size: number },
    signal: AbortSignal,
  ): Promise<string | Failure> {
    const url = new URL(this.#url)
    url.searchParams.set('filename', about.name)
    const { request } = url.protocol === 'https:' ? https : http
    const asked = request(url, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${this.#deps.token}`,
        'content-type': about.type,
        'content-length': about.size,
      },
      signal,
    })
    asked.setTimeout(STALLED_MS, () => asked.destroy(new Error('the upload stalled')))
    const { promise: answered, resolve, reject } = Promise.withResolvers<http.IncomingMessage>()
    asked.once('response', resolve)
    asked.once('error', reject)
    // It may answer before it has all, and then not want the rest.
    pipeline(body, asked).catch(() => undefined)
    try {
      const response = await answered
      return judged(response.statusCode ?? 0, jsonOf(await beginning(response)))
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error)
      return signal.aborted ? { kind: 'aborted', detail } : { kind: 'unreachable', sent: true, detail }
    } finally {
      body.destroy()
    }
  }

  #remember(key: string, mxc: string): void {
    this.#placed.set(key, mxc)
    const [oldest] = this.#placed.keys()
    if (oldest !== undefined && this.#placed.size > MAX_REMEMBERED) this.#placed.delete(oldest)
  }
}

const judged = (status: number, answer: unknown): string | Failure => {
  const uri = textIn(answer, 'content_uri')
  if (status === 200 && uri !== undefined && parseMxc(uri) !== undefined) return uri
  const errcode = textIn(answer, 'errcode') ?? `HTTP ${status}`
  const detail = `the homeserver does not take the file: ${errcode}`
  if (status === 429) {
    const { retry_after_ms: asked } = recordOf(answer)
    return { kind: 'limited', retryAfterMs: typeof asked === 'number' && asked > 0 ? asked : 5_000, detail }
  }
  if (status >= 500) return { kind: 'busy', status, detail }
  if (status === 401) return { kind: 'token', errcode, detail }
  return { kind: 'refused', status, errcode, detail }
}

const beginning = async (response: http.IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > MAX_ANSWER_BYTES) break
  }
  return Buffer.concat(chunks).toString('utf8')
}
