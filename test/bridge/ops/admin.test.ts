import { request } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { AdminPage } from '../../../bridge/ops/admin.ts'
import { createMetrics } from '../../../bridge/ops/metrics.ts'
import type { Report } from '../../../bridge/ops/report.ts'

const report: Report = {
  version: '1.2.3',
  startedAt: 0,
  now: 7_200_000,
  dataFolder: '/srv/<data>',
  ready: true,
  networks: [{ id: 'home', type: 'msn-service', state: 'running', lines: ['MSN service on 127.0.0.1:1863'] }],
  accounts: [{ id: 'relay', network: 'retro', state: 'waiting', detail: 'no route' }],
  lanes: [{ account: 'relay', place: 'contact bob@home.example', depth: 3, oldestSeconds: 90, waitingFor: 'its turn' }],
  messages: { accepted: 5 },
}

const open: AdminPage[] = []
afterEach(async () => {
  for (const page of open.splice(0)) await page.stop()
})

const start = async (shown: Report = report) => {
  const metrics = createMetrics()
  const page = new AdminPage({ host: '127.0.0.1', port: 0, hosts: ['bridge.example'], report: () => shown, metrics })
  open.push(page)
  return { port: await page.start(), metrics, page }
}

interface Got {
  readonly status: number
  readonly type: string
  readonly body: string
}

const get = (port: number, path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Got> =>
  new Promise((resolve, reject) => {
    const asking = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          type: response.headers['content-type'] ?? '',
          body: Buffer.concat(chunks).toString('utf8'),
        }),
      )
    })
    asking.on('error', reject)
    asking.end()
  })

test('healthz answers as long as the process does', async () => {
  const { port } = await start({ ...report, ready: false })
  expect(await get(port, '/healthz')).toMatchObject({ status: 200, body: 'ok\n' })
})

test('readyz says whether messages are taken, and why not', async () => {
  expect(await get((await start()).port, '/readyz')).toMatchObject({ status: 200, body: 'ready\n' })
  const full = await start({ ...report, ready: false, trouble: 'the disk is full' })
  expect(await get(full.port, '/readyz')).toMatchObject({ status: 503, body: 'not ready: the disk is full\n' })
})

test('status is JSON for programs, a page for browsers and text for those who ask', async () => {
  const { port } = await start()
  const json = await get(port, '/status')
  expect(json.type).toBe('application/json')
  expect(JSON.parse(json.body)).toEqual(report)
  const html = await get(port, '/status', { accept: 'text/html,*/*' })
  expect(html.type).toBe('text/html; charset=utf-8')
  expect(html.body).toContain('/srv/&lt;data&gt;')
  const text = await get(port, '/status?format=text')
  expect(text.body).toContain('up 2 h')
  expect(text.body).toContain('  relay, contact bob@home.example: 3, oldest 1 min, waits for its turn')
})

test('metrics are in the format of Prometheus', async () => {
  const { port, metrics } = await start()
  metrics.metrics.count('session_faults', { network: 'libera', code: 'banned' })
  metrics.metrics.gauge('lane_depth', 4, { account: 'relay' })
  metrics.metrics.observe('deliver_seconds', 0.002)
  const { body } = await get(port, '/metrics')
  expect(body).toContain('msn_bridge_session_faults_total{network="libera",code="banned"} 1')
  expect(body).toContain('msn_bridge_lane_depth{account="relay"} 4')
  expect(body).toContain('msn_bridge_deliver_seconds_bucket{le="0.0025"} 1')
  expect(body).toContain('msn_bridge_process_resident_memory_bytes')
})

test('a name that is not ours is refused, so that no web page can read through it', async () => {
  const { port } = await start()
  expect(await get(port, '/status', { host: 'evil.example' })).toMatchObject({ status: 403 })
  expect(await get(port, '/status', { host: `localhost:${port}` })).toMatchObject({ status: 200 })
  expect(await get(port, '/status', { host: `[::1]:${port}` })).toMatchObject({ status: 200 })
  expect(await get(port, '/status', { host: `Bridge.example:${port}` })).toMatchObject({ status: 200 })
})

test('there is nothing to change and nothing else to read', async () => {
  const { port } = await start()
  expect(await get(port, '/status', {}, 'POST')).toMatchObject({ status: 405 })
  expect(await get(port, '/../../etc/passwd')).toMatchObject({ status: 404 })
  expect(await get(port, '//')).toMatchObject({ status: 404 })
})

test('a port that is taken is told with its remedy', async () => {
  const { port } = await start()
  const other = new AdminPage({ host: '127.0.0.1', port, hosts: [], report: () => report, metrics: createMetrics() })
  await expect(other.start()).rejects.toThrow(
    `127.0.0.1:${port} is taken by another program: stop it, or choose another port`,
  )
  await other.stop()
})

test('stopping frees the port and is harmless twice', async () => {
  const { page, port } = await start()
  await page.stop()
  await page.stop()
  await expect(get(port, '/healthz')).rejects.toThrow(/ECONNREFUSED/)
})
