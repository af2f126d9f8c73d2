/** What `npm start`, the binary and the image run. */

/** The oldest Node that has what we need; an older one would die in a native module without a word. */
const NEEDED = 24

// Database, keys and backups hold what people said: nobody else may read them.
process.umask(0o077)

// Whoever read our output has gone, e.g. `msn-bridge status | head -1`.
process.stdout.on('error', () => process.exit(1))

if (Number(process.versions.node.split('.')[0]) < NEEDED) {
  process.stderr.write(
    `msn-bridge: it needs Node ${NEEDED} or newer, and this is ${process.versions.node}: run "npm start" or ` +
      'bin/msn-bridge.js, which find the one that "npm ci" brought along\n',
  )
  process.exitCode = 1
} else {
  const { keepHeapSmall } = await import('./bridge/ops/heap.ts')
  keepHeapSmall()
  const { main } = await import('./cli/main.ts')
  process.exitCode = await main(process.argv.slice(2), {
    env: process.env,
    folder: process.cwd(),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
  })
}
