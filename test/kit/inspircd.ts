import { X509Certificate } from 'node:crypto'
import { chown, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generate } from 'selfsigned'
import { findProgram, ForeignServer, steadyPorts, temporaryFolder } from './foreign-server.ts'
import { IrcClient } from './irc-client.ts'
import { IrcOper } from './irc-oper.ts'

export interface InspircdOptions {
  /** With Atheme beside it: NickServ and SASL. */
  readonly services?: boolean
  /** Lines are throttled as on a public server. Without it as many as come. */
  readonly fakelag?: boolean
  /** Connections that one address may have. */
  readonly perHost?: number
  /** The class of a public server, so many times as fast, and with a PING each five seconds that must be answered within five. */
  readonly hurry?: number
  /** One of several servers of a network (test/kit/inspircd-network.ts). */
  readonly place?: Place
}

/** A server's own name and port for other servers, and which others it knows. It links with nobody unless told to. */
export interface Place {
  readonly name: string
  readonly linkPort: number
  readonly peers: readonly { readonly name: string; readonly port: number }[]
}

type Folder = Awaited<ReturnType<typeof temporaryFolder>>

/** Atheme will not run as root. */
const NOBODY = 65_534

/** InspIRCd on free ports, with the IRCv3 modules of a modern network; operator `oper`, password `operpass`. */
export class Inspircd {
  readonly port: number
  readonly tlsPort: number
  readonly #folder: Folder
  #server: ForeignServer
  #services: ForeignServer | undefined

  private constructor(port: number, tlsPort: number, folder: Folder, server: ForeignServer) {
    this.port = port
    this.tlsPort = tlsPort
    this.#folder = folder
    this.#server = server
  }

  static async start(options: InspircdOptions = {}): Promise<Inspircd> {
    const [port = 0, tlsPort = 0, free = 0] = await steadyPorts(3)
    const linkPort = options.place?.linkPort ?? free
    const folder = await temporaryFolder('inspircd')
    await certificate(folder.path, 'server', 'localhost')
    await writeFile(join(folder.path, 'inspircd.conf'), config(folder.path, { port, tlsPort, linkPort }, options))
    const ircd = new Inspircd(port, tlsPort, folder, Inspircd.#spawn(folder.path))
    try {
      await ircd.#server.listening(port)
      if (options.services === true) ircd.#services = await services(folder.path, linkPort)
    } catch (error) {
      await ircd.stop()
      throw error
    }
    return ircd
  }

  /** PEM file of the server's own certificate, which is its own authority. */
  get ca(): string {
    return join(this.#folder.path, 'server.pem')
  }

  /** Makes a client certificate: its PEM files, and the fingerprint that services know it by. */
  async clientCertificate(name: string): Promise<{ cert: string; key: string; fingerprint: string }> {
    const fingerprint = await certificate(this.#folder.path, name, name)
    return { cert: join(this.#folder.path, `${name}.pem`), key: join(this.#folder.path, `${name}.key`), fingerprint }
  }

  /** Makes the services account that `nick` is the name of; whoever identifies for it may have the nick. */
  async register(nick: string, password: string): Promise<void> {
    const owner = await IrcClient.connect(this.port, nick)
    owner.say('NickServ', `REGISTER ${password} ${nick}@example.org`)
    await owner.next(/ 900 /)
    owner.send('QUIT')
    await owner.until(() => owner.closed)
  }

  /** A client that is an IRC operator. */
  oper(nick?: string): Promise<IrcOper> {
    return IrcOper.connect(this.port, nick)
  }

  /** What both servers have written to the terminal, for a test that fails. */
  get output(): string {
    return `${this.#server.output}\n${this.#services?.output ?? ''}`
  }

  /** Ends the server at once; `restart` brings it back on the same ports. */
  async halt(): Promise<void> {
    await this.#server.stop('SIGKILL')
  }

  async restart(): Promise<void> {
    this.#server = Inspircd.#spawn(this.#folder.path)
    await this.#server.listening(this.port)
  }

  async stop(): Promise<void> {
    await this.#services?.stop()
    await this.#server.stop()
    await this.#folder.remove()
  }

  static #spawn(cwd: string): ForeignServer {
    const args = ['--nofork', '--nopid', '--config', join(cwd, 'inspircd.conf')]
    const root = process.getuid?.() === 0 ? ['--runasroot'] : []
    return new ForeignServer(findProgram('inspircd') ?? 'inspircd', [...root, ...args], { cwd })
  }
}

/** Writes NAME.pem and NAME.key; answers the SHA-256 fingerprint in lower-case hex. */
const certificate = async (folder: string, name: string, commonName: string): Promise<string> => {
  const { cert, private: key } = await generate([{ name: 'commonName', value: commonName }], {
    keySize: 2048,
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  })
  await writeFile(join(folder, `${name}.pem`), cert)
  await writeFile(join(folder, `${name}.key`), key)
  return new X509Certificate(cert).fingerprint256.replaceAll(':', '').toLowerCase()
}

const MODULES = [
  'cap',
  'ircv3',
  'ircv3_accounttag',
  'ircv3_batch',
  'ircv3_capnotify',
  'ircv3_chghost',
  'ircv3_ctctags',
  'ircv3_echomessage',
  'ircv3_invitenotify',
  'ircv3_labeledresponse',
  'ircv3_msgid',
  'ircv3_servertime',
  'monitor',
  'samode',
  'sapart',
  'services_account',
  'spanningtree',
  'ssl_gnutls',
  'sslinfo',
]

interface Ports {
  readonly port: number
  readonly tlsPort: number
  readonly linkPort: number
}

const config = (
  folder: string,
  { port, tlsPort, linkPort }: Ports,
  { services: linked, fakelag, hurry = 1, place, perHost = 500 }: InspircdOptions,
) => `
<server name="${place?.name ?? 'insp.example'}" description="test" network="Test">
<admin name="test" email="test@example.org" nick="test">
${[...MODULES, ...(linked === true ? ['sasl'] : [])].map((name) => `<module name="${name}">`).join('\n')}
<sslprofile name="clients" provider="gnutls" certfile="${folder}/server.pem" keyfile="${folder}/server.key"
  requestclientcert="yes" hash="sha256">
<bind address="127.0.0.1" port="${port}" type="clients">
<bind address="127.0.0.1" port="${tlsPort}" type="clients" sslprofile="clients">
<bind address="127.0.0.1" port="${linkPort}" type="servers">
<connect name="main" allow="*" timeout="20" pingfreq="${hurry === 1 ? 120 : 5}" hardsendq="1M" softsendq="64K" recvq="64K"
  threshold="${fakelag === true ? 10 : 100_000}" commandrate="${fakelag === true ? 1000 * hurry : 100_000}"
  fakelag="${fakelag === true ? 'yes' : 'no'}" localmax="${perHost}" globalmax="${perHost}" maxchans="100" resolvehostnames="no"
  useident="no" modes="+x">
<class name="all" commands="*" privs="*" usermodes="*" chanmodes="*">
<type name="oper" classes="all">
<oper name="oper" password="operpass" host="*@*" type="oper">
<link name="services.example" ipaddr="127.0.0.1" port="${linkPort}" allowmask="127.0.0.1/8"
  sendpass="linkpass" recvpass="linkpass">
<uline server="services.example" silent="yes">
${(place?.peers ?? []).map(linkBlock).join('\n')}
<sasl target="services.example" requiressl="no">
<options defaultmodes="not" syntaxhints="yes">
<performance softlimit="1024" nouserdns="yes">
<log method="file" type="* -USERINPUT -USEROUTPUT" level="default" target="${folder}/inspircd.log">
`

const linkBlock = ({ name, port }: Place['peers'][number]): string =>
  `<link name="${name}" ipaddr="127.0.0.1" port="${port}" allowmask="127.0.0.1/8" sendpass="linkpass" recvpass="linkpass">`

const services = async (folder: string, linkPort: number): Promise<ForeignServer> => {
  await writeFile(join(folder, 'atheme.conf'), athemeConfig(linkPort))
  const asNobody = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}
  if (process.getuid?.() === 0) await chown(folder, NOBODY, NOBODY)
  const log = join(folder, 'atheme.log')
  const args = ['-n', '-c', join(folder, 'atheme.conf'), '-D', folder, '-p', join(folder, 'atheme.pid'), '-l', log]
  const server = new ForeignServer(findProgram('atheme-services') ?? 'atheme-services', args, {
    cwd: folder,
    ...asNobody,
  })
  await server.said(/finished synching with uplink/)
  return server
}

const athemeConfig = (linkPort: number): string => `
loadmodule "modules/protocol/inspircd";
loadmodule "modules/backend/opensex";
loadmodule "modules/crypto/pbkdf2v2";
loadmodule "modules/nickserv/main";
loadmodule "modules/nickserv/register";
loadmodule "modules/nickserv/identify";
loadmodule "modules/nickserv/ghost";
loadmodule "modules/nickserv/cert";
loadmodule "modules/nickserv/set_core";
loadmodule "modules/saslserv/main";
loadmodule "modules/saslserv/plain";
loadmodule "modules/saslserv/external";
pbkdf2v2 { digest = "SHA256"; rounds = 10000; };
serverinfo {
  name = "services.example"; desc = "services"; numeric = "00A"; recontime = 1; netname = "Test";
  adminname = "test"; adminemail = "test@example.org"; registeremail = "noreply@example.org";
  loglevel = { error; info; }; maxlogins = 20; maxusers = 100; mdlimit = 30; auth = none; casemapping = rfc1459;
};
uplink "insp.example" { host = "127.0.0.1"; send_password = "linkpass"; receive_password = "linkpass"; port = ${linkPort}; };
nickserv { nick = "NickServ"; user = "NickServ"; host = "services.example"; real = "services"; maxnicks = 20; expire = 0; };
saslserv { nick = "SaslServ"; user = "SaslServ"; host = "services.example"; real = "services"; };
general { commit_interval = 5; language = "en"; flood_msgs = 0; };
`
