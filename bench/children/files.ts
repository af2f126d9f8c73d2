/** Takes and gives files by MSNFTP, into and out of the store of the bridge, and watches its own memory. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../bridge/clock.ts'
import { BlobStore } from '../../bridge/media/blobs.ts'
import type { NetworkId, UserId } from '../../bridge/model/ids.ts'
import { FilePorts, receiveFile, sendFile, type Meeting } from '../../msnp/index.ts'
import { recordingLog, recordingMetrics } from '../../test/kit/observers.ts'
import { answer } from '../processes.ts'

const SAMPLE_MS = 10
const never = new AbortController().signal
const folder = mkdtempSync(join(tmpdir(), 'msn-bridge-bench-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const blobs = new BlobStore({
  folder,
  maxBytes: 1_000_000_000,
  maxTotalBytes: 10_000_000_000,
  maxShare: 1,
  keepMs: 3_600_000,
  clock: systemClock,
  log: recordingLog(),
  metrics: recordingMetrics(),
})
await blobs.start()

let under: Promise<number> | undefined
let kept = ''

/** Mebibytes by which the process was larger than before at its largest. */
const watched = async (work: () => Promise<unknown>): Promise<number> => {
  globalThis.gc?.()
  const before = process.memoryUsage.rss()
  let most = before
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), SAMPLE_MS)
  await work()
  clearInterval(timer)
  return (most - before) / 2 ** 20
}

const begin = (work: (meeting: Meeting) => Promise<unknown>): Promise<number> => {
  const { promise, resolve } = Promise.withResolvers<number>()
  const ports = new FilePorts({ host: '127.0.0.1', from: 0, to: 0 })
  under = watched(() => work({ kind: 'listen', ports, peer: 'bench', onPort: resolve }))
  return promise
}

const shared = { account: 'bench@bench.example', authCookie: '1', signal: never }

answer({
  /** Answers the port. */
  take: (size: number) =>
    begin(async (meeting) => {
      const result = await receiveFile({ ...shared, size, meeting })
      if (!result.ok) throw new Error(result.failure.detail)
      const put = await blobs.put(
        result.file.body,
        { name: 'file', from: { network: 'msn' as NetworkId, user: 'bob@example.com' as UserId } },
        never,
      )
      result.file.done(put.kind === 'stored')
      if (put.kind === 'refused') throw new Error(put.detail)
      kept = put.file.ref
    }),
  give: (size: number) =>
    begin(async (meeting) => {
      const result = await sendFile({ ...shared, size, meeting }, async () => {
        const media = await blobs.open(kept, never)
        return media.kind === 'media' ? media.body : undefined
      })
      if (!result.ok) throw new Error(result.failure.detail)
    }),
  /** Answers by how much the process grew. */
  done: () => under,
})
