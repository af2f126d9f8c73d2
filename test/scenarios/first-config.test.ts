import { afterEach, expect, test } from 'vitest'
import { freePort, makeFolder, removeFolder, runCommand, startDaemon, type RunningDaemon } from '../kit/daemon.ts'

let daemon: RunningDaemon | undefined
const folder = makeFolder()
afterEach(async () => {
  await daemon?.stop()
  removeFolder(folder)
})

test('an account on the service of the same config needs no ca, and other commands need no password', async () => {
  const [msn, passport, admin] = [await freePort(), await freePort(), await freePort()]
  const config = `data: ./data
admin: { listen: 127.0.0.1:${admin} }
networks:
  - { id: home, type: msn-service, domain: home.example, listen: 127.0.0.1:${msn}, passport: { listen: 127.0.0.1:${passport} } }
  - { id: retro, type: msn, server: 127.0.0.1:${msn}, passport: { nexus: "https://127.0.0.1:${passport}/rdr/pprdr.asp" }, dialects: [MSNP9, MSNP8], timing: { backoff_ms: [100] } }
people:
  - { id: alice }
accounts:
  - { id: relay, network: retro, person: alice, login: relay@home.example, password: { env: RELAY_PASSWORD } }
`
  const env = { RELAY_PASSWORD: 'secret-password' }
  daemon = await startDaemon({ config, env, folder })
  const added = await runCommand(['account', 'add', 'relay@home.example'], { folder, stdin: env.RELAY_PASSWORD })
  expect(added).toMatchObject({ code: 0 })
  const again = await runCommand(['reconnect', 'relay'], { folder })
  expect(again.code).toBe(0)
  await daemon.waitFor((entry) => entry['account'] === 'relay' && entry.msg === 'signed in')

  const status = await runCommand(['status'], { folder })
  expect(status.stdout).toContain('relay on retro: online')
  const checked = await runCommand(['check-config'], { folder })
  expect(checked.stderr).toContain('the environment variable RELAY_PASSWORD is not set')
  expect(checked.code).toBe(2)
})
