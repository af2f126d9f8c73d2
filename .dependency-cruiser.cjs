/** Who may import whom (docs/architecture.md). Checked by `npm run imports` and by test/architecture.test.ts. */
const rule = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to })

module.exports = {
  forbidden: [
    rule('no-cycles', 'Two files that import each other are one file.', {}, { circular: true }),
    rule(
      'msnp-stands-alone',
      'The protocol library knows bytes and time only.',
      { path: '^msnp/' },
      { pathNot: '^(msnp/|sansio/|node:|node_modules/selfsigned)', dependencyTypesNot: ['core'] },
    ),
    rule(
      'msnp-pure-outside-io',
      'Outside io/, of Node only buffers and hashes.',
      { path: '^msnp/(wire|model|p2p|session|auth|service)/' },
      { dependencyTypes: ['core'], pathNot: '^(node:)?(buffer|crypto)$' },
    ),
    rule('msnp-layers-wire', 'wire is the bottom layer.', { path: '^msnp/wire/' }, { path: '^msnp/(?!wire/)' }),
    rule('msnp-layers-model', 'model stands on wire.', { path: '^msnp/model/' }, { path: '^msnp/(?!wire/|model/)' }),
    rule(
      'msnp-layers-p2p',
      'What goes from peer to peer stands on wire and model.',
      { path: '^msnp/p2p/' },
      { path: '^msnp/(?!wire/|model/|p2p/)' },
    ),
    rule(
      'msnp-layers-session',
      'sessions do no I/O.',
      { path: '^msnp/(session|auth|service)/' },
      { path: '^msnp/(io/|index)' },
    ),
    rule(
      'msnp-public-surface',
      'From outside, only msnp/index.ts.',
      { pathNot: '^(msnp|test|bench)/' },
      { path: '^msnp/', pathNot: '^msnp/index\\.ts$' },
    ),
    rule(
      'msnp-users',
      'Only the MSN adapters and the daemon know MSN.',
      { pathNot: '^(msnp|test|bench|demo|adapters/msn)' },
      { path: '^msnp/' },
    ),
    rule(
      'irc-text-is-pure',
      'IRC as both of its adapters write it: words and lines, on the model alone.',
      { path: '^irc/' },
      { pathNot: '^(irc/|bridge/model/|node:buffer)', dependencyTypesNot: ['core'] },
    ),
    rule(
      'irc-users',
      'Only the IRC adapters know IRC.',
      { pathNot: '^(irc|test|bench|adapters/irc)' },
      { path: '^irc/' },
    ),
    rule(
      'sansio-imports-nothing',
      'sansio is the ground.',
      { path: '^sansio/' },
      { pathNot: '^sansio/', dependencyTypesNot: ['core'] },
    ),
    rule(
      'model-imports-nothing',
      'The model of the core is pure data.',
      { path: '^bridge/model/' },
      { pathNot: '^bridge/model/' },
    ),
    rule(
      'contract-imports-model',
      'The contract knows the model only.',
      { path: '^bridge/adapter\\.ts$' },
      { pathNot: '^bridge/model/' },
    ),
    rule(
      'core-knows-no-network',
      'The core never imports an adapter or a protocol.',
      { path: '^bridge/' },
      { path: '^(adapters|msnp|config)/' },
    ),
    rule(
      'store-is-below',
      'The store knows the model, never the hub.',
      { path: '^bridge/(store|ops)/' },
      { path: '^bridge/(?!store/|ops/|model/|adapter\\.ts|clock\\.ts)' },
    ),
    rule(
      'adapters-know-the-contract',
      'An adapter sees the contract, the model, how passwords are kept, and its own library.',
      { path: '^adapters/([^/]+)/' },
      {
        path: '^(bridge|config|daemon|main)',
        pathNot: '^(bridge/((adapter|backoff|passwords|password-check)\\.ts|model/)|config/fields\\.ts$)',
      },
    ),
    rule(
      'irc-server-is-pure',
      'The server side of IRC is bytes and time: it knows no contract, no people and no sockets.',
      { path: '^adapters/irc-gateway/(wire|machine)/' },
      {
        pathNot:
          '^(adapters/irc-gateway/(wire|machine)/|irc/|sansio/(machine|bytes|rate)\\.ts$|bridge/model/|(node:)?buffer$)',
      },
    ),
    rule(
      'irc-server-layers',
      'wire is the bottom layer.',
      { path: '^adapters/irc-gateway/wire/' },
      { path: '^adapters/irc-gateway/(?!wire/)' },
    ),
    rule(
      'adapters-do-not-know-each-other',
      'No adapter imports another.',
      { path: '^adapters/([^/]+)/' },
      { path: '^adapters/([^/]+)/', pathNot: '^adapters/$1/' },
    ),
    rule(
      'config-fragment-is-zod',
      'A schema fragment is data, said in the vocabulary of config/fields.ts.',
      { path: '^adapters/[^/]+/config\\.ts$' },
      { pathNot: '^(node_modules/zod|config/fields\\.ts$)' },
    ),
    rule(
      'fields-are-zod',
      'The vocabulary of the config stands on zod alone.',
      { path: '^config/fields\\.ts$' },
      { pathNot: '^node_modules/zod' },
    ),
    rule(
      'cli-is-the-top',
      'Only main.ts runs commands.',
      { pathNot: '^(main\\.ts|cli/|demo/|test/)' },
      { path: '^cli/' },
    ),
    rule(
      'daemon-is-the-root',
      'Only main.ts and the command line know the daemon.',
      { pathNot: '^(main\\.ts|daemon\\.ts|cli/|demo/|test/)' },
      { path: '^(daemon|compose)\\.ts$' },
    ),
    rule(
      'sqlite-in-one-folder',
      'The database driver appears in the store only.',
      { pathNot: '^bridge/store/' },
      { path: 'node_modules/better-sqlite3' },
    ),
    rule(
      'irc-framework-in-one-folder',
      'irc-framework belongs to the irc adapter.',
      { pathNot: '^adapters/irc/' },
      { path: 'node_modules/irc-framework' },
    ),
    rule(
      'matrix-library-in-one-file',
      'The library for Matrix costs a second and 100 MB: only library.ts may load it.',
      { pathNot: '^(adapters/matrix/library\\.ts|test/)' },
      { path: 'node_modules/(matrix-appservice|@vector-im/matrix-bot-sdk)' },
    ),
    rule(
      'zod-in-config',
      'zod appears in schemas only.',
      { pathNot: '^(config/|adapters/[^/]+/config\\.ts)' },
      { path: 'node_modules/zod' },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
}
