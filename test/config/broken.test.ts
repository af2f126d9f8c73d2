import { expect, test } from 'vitest'
import { checkConfig } from '../../config/load.ts'

const env = { RELAY_PASSWORD: 'swordfish', EMPTY: '' }

const problemsOf = (text: string): readonly string[] => {
  const loaded = checkConfig(text, { name: 'config.yaml', base: '/nowhere', env })
  return loaded.kind === 'broken' ? loaded.problems : []
}

const service = '{ id: home, type: msn-service }'
const retro = '{ id: retro, type: msn, server: 127.0.0.1:1863, passport: { login: "https://127.0.0.1/login" } }'
const libera = '{ id: libera, type: irc, server: "127.0.0.1:6669", tls: false }'
const relay = '{ id: relay, network: retro, login: relay@home.example, password: { env: RELAY_PASSWORD } }'
const matrix = '{ id: hs, type: matrix, homeserver: "http://127.0.0.1:8008", domain: example.org }'
const whole = (links: string): string =>
  `networks:\n  - ${retro}\n  - ${libera}\naccounts:\n  - ${relay}\nlinks:\n${links}`

const secretWords = 'write { env: NAME_OF_A_VARIABLE } or { file: path }'

test.each<[what: string, text: string, ...problems: string[]]>([
  [
    'a bracket is not closed',
    'data: [',
    'config.yaml:1:8 is no valid YAML: a bracket is still open here: write the ] that closes it',
  ],
  [
    'a channel is not in quotes',
    'channels: [#friends]\ndata: a',
    'config.yaml:1:12 is no valid YAML: a # begins a comment: put channel names in quotes, for example "#friends"',
  ],
  [
    'a channel is not in quotes, after a space',
    'links:\n  - [ { network: libera, channel: #bob } ]\n',
    'config.yaml:2:35 is no valid YAML: a # begins a comment: put channel names in quotes, for example "#friends"',
  ],
  ['a tab indents', 'log:\n\tlevel: info', 'config.yaml:2:1 is no valid YAML: a tab cannot indent a line: use spaces'],
  [
    'a second document follows',
    'data: a\n---\ndata: b',
    'config.yaml:2:1 is no valid YAML: a second document begins here: take out the ---, since a config is one document',
  ],
  [
    'an alias has no anchor',
    'data: a\nlog: *level',
    'config.yaml:2:6 is no valid YAML: Unresolved alias (the anchor must be set before the alias): level',
  ],
  [
    'a map is none',
    'networks:\n  - { id: hs, type: matrix, homeserver: "http://127.0.0.1:8008", domain: hs, permissions: 5 }',
    'config.yaml:2:91 networks.0.permissions: must be a map of keys, but is 5',
  ],
  [
    'a number has no end',
    'media: { expire_hours: .inf }',
    'config.yaml:1:24 media.expire_hours: must be a number, but is Infinity',
  ],
  [
    'all keys of a map are comments',
    'log:\n  # level: info\n',
    'config.yaml:1:5 log: must be a map of keys, but is empty: give it a value or take the line out; possible in it: level',
  ],
  [
    'a port is none',
    'networks:\n  - { id: a, type: irc, server: "irc.example:0" }\n  - { id: b, type: irc, server: "irc.example:66667" }',
    'config.yaml:2:33 networks.0.server: has no port from 1 to 65535',
    'config.yaml:3:33 networks.1.server: has no port from 1 to 65535',
  ],
  [
    'one listener wants all addresses of a port that another has',
    'networks:\n  - { id: a, type: msn-service, listen: 0.0.0.0:1863, passport: { listen: 127.0.0.1:1863 } }',
    'config.yaml:2:75 networks.0.passport.listen: is already the address of networks.0.listen: choose another port',
  ],
  [
    'the HTTP gateway wants the port of the login',
    'networks:\n  - { id: a, type: msn-service, http_gateway: { listen: 127.0.0.1:1443 } }',
    'config.yaml:2:57 networks.0.http_gateway.listen: is already the address of networks.0.passport.listen: choose another port',
  ],
  [
    'a name for the certificate is an address with a port',
    'networks:\n  - { id: a, type: msn-service, passport: { certificate_names: ["a.example:443"] } }',
    'config.yaml:2:65 networks.0.passport.certificate_names.0: is no host: write a name or an IPv4 address, without port',
  ],
  [
    'a gateway is no URL',
    'networks:\n  - { id: r, type: msn, server: "a:1", passport: { rst: "https://a/RST.srf" }, http_gateway: gateway.example }',
    'config.yaml:2:94 networks.0.http_gateway: is no URL: write for example http://gateway.example',
  ],
  [
    'a way to log in is unknown',
    'networks:\n  - { id: r, type: msn, server: "a:1", passport: { sso: "https://a/" } }',
    'config.yaml:2:50 networks.0.passport: must be { nexus: URL }, { login: URL } or { rst: URL }',
  ],
  [
    'a nickname is none',
    'networks:\n  - { id: a, type: irc, server: "irc.example:6697", nick: 2bridge }',
    'config.yaml:2:59 networks.0.nick: is no nickname: use letters, digits and _ - [ ] { } | ` ^ \\, beginning with no digit and no hyphen',
  ],
  [
    'a key stands twice',
    'data: a\ndata: b',
    'config.yaml:2:1 is no valid YAML: this key stands here twice: keep one of them',
  ],
  [
    'it is a list',
    '- data',
    'config.yaml:1:1 must be a map of keys, but is a list; possible in it: data, log, admin, secrets, media, history, networks, people, accounts, links',
  ],
  [
    'people of a network that there is not, or of one without addresses, are to be added',
    `networks:\n  - ${retro}\n  - ${libera}\n  - { id: home, type: msn-service, elsewhere: { networks: [libra, retro, libera] } }`,
    'config.yaml:4:60 networks.2.elsewhere.networks.0: libra is no network of this config; did you mean libera?',
    'config.yaml:4:67 networks.2.elsewhere.networks.1: is of type msn: only those of types matrix and irc have addresses here',
  ],
  ['a key is misspelt', 'netwroks: []', 'config.yaml:1:1 netwroks: is no known key; did you mean networks?'],
  [
    'a key is from elsewhere',
    'plugins: []',
    'config.yaml:1:1 plugins: is no known key; possible here: data, log, admin, secrets, media, history, networks, people, accounts, links',
  ],
  [
    'a level does not exist',
    'log: { level: infos }',
    'config.yaml:1:15 log.level: must be one of debug, info, warn, error, but is "infos"; did you mean info?',
  ],
  [
    'a number stands where an address belongs',
    'admin: { listen: 8090 }',
    'config.yaml:1:18 admin.listen: is no address, only the number 8090: write host:port, for example 127.0.0.1:1863 or [::1]:1863',
  ],
  [
    'an address lacks its port',
    'admin: { listen: localhost }',
    'config.yaml:1:18 admin.listen: is no address: write host:port, for example 127.0.0.1:1863 or [::1]:1863',
  ],
  [
    'there are no networks',
    'networks: []',
    'config.yaml:1:11 networks: is empty: the bridge would have nothing to do; leave it out to get an MSN service and an IRC gateway',
  ],
  [
    'a type is misspelt',
    'networks:\n  - { id: home, type: msn-servce }',
    'config.yaml:2:23 networks.0.type: must be one of msn-service, msn, irc, irc-gateway, matrix, but is "msn-servce"; did you mean msn-service?',
  ],
  [
    'a type is missing',
    'networks:\n  - { id: home }',
    'config.yaml:2:5 networks.0.type: is missing: write one of msn-service, msn, irc, irc-gateway, matrix',
  ],
  [
    'an id has capitals',
    'networks:\n  - { id: Home, type: msn-service }',
    'config.yaml:2:11 networks.0.id: is no id: use up to 32 of a-z, 0-9, - and _, beginning with a letter or digit',
  ],
  [
    'a key of a network is misspelt',
    'networks:\n  - id: home\n    type: msn-service\n    lsten: 127.0.0.1:1863',
    'config.yaml:4:5 networks.0.lsten: is no known key; did you mean listen?',
  ],
  [
    'a limit is no number',
    'networks:\n  - id: home\n    type: msn-service\n    limits: { contacts: many }',
    'config.yaml:4:25 networks.0.limits.contacts: must be a number, but is "many"',
  ],
  [
    'a limit is too small',
    'networks:\n  - id: home\n    type: msn-service\n    limits: { groups: 0 }',
    'config.yaml:4:23 networks.0.limits.groups: must be at least 1',
  ],
  [
    'a server is missing',
    'networks:\n  - { id: retro, type: msn, passport: { login: "https://a/b" } }',
    'config.yaml:2:5 networks.0.server: is missing',
  ],
  [
    'a URL is none',
    'networks:\n  - { id: r, type: msn, server: "a:1", passport: { nexus: nexus } }',
    'config.yaml:2:59 networks.0.passport.nexus: is no URL: write for example https://nexus.example/rdr/pprdr.asp',
  ],
  [
    'a dialect is unknown',
    'networks:\n  - { id: r, type: msn, server: "a:1", passport: { login: "https://a/b" }, dialects: [MSNP7] }',
    'config.yaml:2:87 networks.0.dialects.0: must be one of MSNP12, MSNP11, MSNP10, MSNP9, MSNP8, but is "MSNP7"; did you mean MSNP9?',
  ],
  [
    'a channel lost its prefix to a comment',
    'networks:\n  - { id: l, type: irc, server: "a:1", channels: [friends] }',
    'config.yaml:2:51 networks.0.channels.0: is no channel: write it with its prefix and in quotes, for example "#friends"',
  ],
  [
    'a certificate is not there',
    'networks:\n  - { id: home, type: msn-service, tls: { cert: a.pem, key: b.pem } }',
    'config.yaml:2:49 networks.0.tls.cert: /nowhere/a.pem cannot be read (ENOENT): check the path and its permissions',
    'config.yaml:2:61 networks.0.tls.key: /nowhere/b.pem cannot be read (ENOENT): check the path and its permissions',
  ],
  [
    'people of the gateway would begin with a setting that there is not, or that cannot be so',
    'networks:\n  - id: irc\n    type: irc-gateway\n    settings:\n      typing_notce: "true"\n      colour: "red"\n      timezone: "Mars"',
    'config.yaml:5:7 networks.0.settings.typing_notce: is no setting; did you mean typing_notice?',
    'config.yaml:6:7 networks.0.settings.colour: is no setting: take it out; docs/irc.md lists all',
    'config.yaml:7:17 networks.0.settings.timezone: cannot be "Mars": It is local, utc, gmt, or a difference to UTC such as +1 or -03:30.',
  ],
  [
    'a network is there twice',
    `networks:\n  - ${service}\n  - ${service.replace('}', ', listen: "127.0.0.1:1864", passport: { listen: "127.0.0.1:1444" } }')}`,
    'config.yaml:3:11 networks.1.id: is already the id of networks.0: choose another',
  ],
  [
    'two listeners want one port',
    `networks:\n  - ${service}\nadmin: { listen: 127.0.0.1:1443 }`,
    'config.yaml:2:5 networks.0.passport.listen: is already the address of admin.listen: choose another port',
  ],
  [
    'an account is on an unknown network',
    `networks:\n  - ${retro}\naccounts:\n  - ${relay.replace('retro', 'rertro')}`,
    'config.yaml:4:27 accounts.0.network: rertro is no network of this config; did you mean retro?',
  ],
  [
    'an account is on our own service',
    `networks:\n  - ${service}\naccounts:\n  - ${relay.replace('retro', 'home')}`,
    'config.yaml:4:27 accounts.0.network: is of type msn-service: accounts belong to networks of type msn; people of our own service are made with: msn-bridge account add ADDRESS',
  ],
  [
    'an account has the id of a network',
    `networks:\n  - ${retro}\naccounts:\n  - ${relay.replace('id: relay', 'id: retro')}`,
    'config.yaml:4:11 accounts.0.id: is already the id of networks.0: choose another',
  ],
  [
    'an account belongs to nobody known',
    `networks:\n  - ${retro}\npeople: [{ id: alice }]\naccounts:\n  - ${relay.replace('login', 'person: alcie, login')}`,
    'config.yaml:5:42 accounts.0.person: alcie is no person of this config; did you mean alice?',
  ],
  [
    'a person is on a network that there is not',
    `networks:\n  - ${retro}\npeople: [{ id: alice, users: [{ network: rtero, user: al }] }]`,
    'config.yaml:3:42 people.0.users.0.network: rtero is no network of this config; did you mean retro?',
  ],
  [
    'two people are one user',
    `networks:\n  - ${retro}\npeople:\n  - { id: alice, users: [{ network: retro, user: al }] }\n  - { id: bob, users: [{ network: retro, user: al }] }`,
    'config.yaml:5:24 people.1.users.0: is already a user of people.0',
  ],
  [
    'the key of passwords is written down',
    'secrets: { key: swordfish }',
    `config.yaml:1:17 secrets.key: is no secret: ${secretWords}, never the secret itself`,
  ],
  [
    'one login is signed in twice',
    `networks:\n  - ${retro}\naccounts:\n  - ${relay}\n  - ${relay.replace('id: relay', 'id: again').replace('relay@home', 'Relay@home')}`,
    'config.yaml:5:41 accounts.1.login: is already signed in by accounts.0: one would end the other',
  ],
  [
    'a password is written down',
    `networks:\n  - ${retro}\naccounts:\n  - ${relay.replace('{ env: RELAY_PASSWORD }', 'swordfish')}`,
    `config.yaml:4:71 accounts.0.password: is no secret: ${secretWords}, never the secret itself`,
  ],
  [
    'a password is missing',
    `networks:\n  - ${retro}\naccounts:\n  - { id: relay, network: retro, login: relay@home.example }`,
    `config.yaml:4:5 accounts.0.password: is missing: ${secretWords}`,
  ],
  [
    'a variable is not set',
    `networks:\n  - ${retro}\naccounts:\n  - ${relay.replace('RELAY_PASSWORD', 'MISSING')}`,
    'config.yaml:4:71 accounts.0.password: the environment variable MISSING is not set: set it where the daemon is started',
  ],
  [
    'a variable is empty',
    `networks:\n  - ${retro}\naccounts:\n  - ${relay.replace('RELAY_PASSWORD', 'EMPTY')}`,
    'config.yaml:4:71 accounts.0.password: the environment variable EMPTY is not set: set it where the daemon is started',
  ],
  [
    'a secret file is not there',
    `networks:\n  - ${retro}\naccounts:\n  - ${relay.replace('env: RELAY_PASSWORD', 'file: secret.txt')}`,
    'config.yaml:4:71 accounts.0.password: /nowhere/secret.txt cannot be read (ENOENT): check the path and its permissions',
  ],
  [
    'a link has one end',
    whole('  - [ { network: libera, channel: "#bob" } ]'),
    'config.yaml:7:5 links.0: has only one end: a link needs two or more',
  ],
  [
    'an end of a link is misspelt',
    whole('  - [ { account: relay, contatc: bob@home.example }, { network: libera, channel: "#bob" } ]'),
    'config.yaml:7:7 links.0.0: is no end of a link: write { account, contact: address }, { account, group: [address, address] }, { account, lobby: true } or { network, channel: "#name" }',
  ],
  [
    'a link names an unknown account',
    whole('  - [ { account: rely, lobby: true }, { network: libera, channel: "#bob" } ]'),
    'config.yaml:7:18 links.0.0.account: rely is no account of this config; did you mean relay?',
  ],
  [
    'a link looks for a channel on MSN',
    whole('  - [ { account: relay, lobby: true }, { network: retro, channel: "#bob" } ]'),
    'config.yaml:7:51 links.0.1.network: is of type msn, which has no channels: write { account, contact } with an account of it',
  ],
  [
    'a channel is linked twice',
    whole(
      '  - [ { account: relay, contact: bob@home.example }, { network: libera, channel: "#bob" } ]\n  - [ { account: relay, lobby: true }, { network: libera, channel: "#BOB" } ]',
    ),
    'config.yaml:8:40 links.1.1: is already linked in links.0.1: put all its ends into one link',
  ],
  [
    'a group is linked twice in another order',
    whole(
      '  - [ { account: relay, group: [a@x.y, b@x.y] }, { network: libera, channel: "#one" } ]\n  - [ { account: relay, group: [B@x.y, a@x.y] }, { network: libera, channel: "#two" } ]',
    ),
    'config.yaml:8:7 links.1.0: is already linked in links.0.0: put all its ends into one link',
  ],
  [
    'SASL has no password',
    `networks:\n  - ${libera.replace('}', ', sasl: {} }')}`,
    'config.yaml:2:75 networks.0.sasl: needs a password for the mechanism plain: write password: { env: NAME }',
  ],
  [
    'SASL EXTERNAL has no certificate',
    `networks:\n  - ${libera.replace('}', ', sasl: { mechanism: external } }')}`,
    'config.yaml:2:75 networks.0.sasl: needs a certificate for the mechanism external: write tls: { cert, key }',
  ],
  [
    'a homeserver is no URL and its domain has a scheme',
    'networks:\n  - { id: hs, type: matrix, homeserver: example.org, domain: "https://example.org" }',
    'config.yaml:2:41 networks.0.homeserver: is no URL: write for example http://127.0.0.1:8008',
    'config.yaml:2:62 networks.0.domain: is no domain: write what stands after the colon in the ids of its users, such as example.org',
  ],
  [
    'a permission is for nobody, or is none',
    `networks:\n  - ${matrix.replace('}', ', permissions: { "alice bob": user, "*": king } }')}`,
    'config.yaml:2:116 networks.0.permissions.alice bob: is nobody: write "*", the domain of a homeserver, or a user id such as "@alice:example.org"',
    'config.yaml:2:127 networks.0.permissions.*: must be one of relay, user, admin, but is "king"',
  ],
  [
    'ghosts would all have one name',
    `networks:\n  - ${matrix.replace('}', ', ghosts: { name: Friend } }')}`,
    'config.yaml:2:104 networks.0.ghosts.name: would call everybody the same: write {name} or {address} in it',
  ],
  [
    'the bot has the id of a ghost',
    `networks:\n  - ${matrix.replace('}', ', bot: { localpart: msn_bot } }')}`,
    'config.yaml:2:106 networks.0.bot.localpart: begins with msn_, as the ids of the ghosts do: choose another, or another ghosts.prefix',
  ],
  [
    'a room version is a number',
    `networks:\n  - ${matrix.replace('}', ', room_version: 11 }')}`,
    'config.yaml:2:102 networks.0.room_version: must be a text: write it in quotes, for example "11"',
  ],
  [
    'another bridge is no regular expression',
    `networks:\n  - ${matrix.replace('}', ', other_bridges: ["("] }')}`,
    'config.yaml:2:104 networks.0.other_bridges.0: is no regular expression: write for example "@telegram_.+:example[.]org"',
  ],
  [
    'the homeserver cannot know where we listen',
    `networks:\n  - ${matrix.replace('}', ', listen: 0.0.0.0:29333 }')}`,
    'config.yaml:2:5 networks.0.url: is missing: with listen on all addresses, say under which of them the homeserver finds us',
  ],
  [
    'a link names no room',
    `networks:\n  - ${retro}\n  - ${matrix}\naccounts:\n  - ${relay}\nlinks:\n  - [ { account: relay, lobby: true }, { network: hs, channel: "#room" } ]`,
    'config.yaml:7:64 links.0.1.channel: is no room: write its address "#name:example.org" or its id "!abc:example.org"',
  ],
])('when %s, it says where and what to do', (_, text, ...problems) => {
  expect(problemsOf(text)).toEqual(problems)
})

test('all problems are told at once, in the order of the file', () => {
  const text = 'log: { level: loud }\nnetworks:\n  - { id: A, type: msn-service, domian: x }\nadmin: { listen: here }\n'
  expect(problemsOf(text).map((line) => line.split(' ')[0])).toEqual([
    'config.yaml:1:15',
    'config.yaml:3:11',
    'config.yaml:3:33',
    'config.yaml:4:18',
  ])
})

test('no message repeats what stands where a secret belongs', () => {
  const text = `networks:\n  - ${retro}\naccounts:\n  - ${relay.replace('{ env: RELAY_PASSWORD }', 'swordfish')}`
  expect(problemsOf(text).join()).not.toContain('swordfish')
})

test('rooms of Matrix are told apart by case', () => {
  const link = (room: string): string =>
    `  - [ { account: relay, contact: ${room.slice(1)}@x.y }, { network: hs, channel: "${room}" } ]`
  const text = `networks:\n  - ${retro}\n  - ${matrix}\naccounts:\n  - ${relay}\nlinks:\n${link('!Abc')}\n${link('!aBc').replace('aBc@', 'other@')}`
  expect(problemsOf(text)).toEqual([])
})
