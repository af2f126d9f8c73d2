/** What `npm start`, the binary and the image run. */
import { main } from './cli/main.ts'

// Database, keys and backups hold what people said: nobody else may read them.
process.umask(0o077)

// Whoever read our output has gone, e.g. `msn-bridge status | head -1`.
process.stdout.on('error', () => process.exit(1))

process.exitCode = await main(process.argv.slice(2), {
  env: process.env,
  folder: process.cwd(),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
})
