import { BlockList, isIP } from 'node:net'

/** Addresses that only mean something in somebody's own network. */
const PRIVATE = new BlockList()
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['224.0.0.0', 3],
] as const) {
  PRIVATE.addSubnet(net, bits, 'ipv4')
  // The same in the clothes of IPv6: NAT64, 6to4, and two old ways to write it. Mapped ones are checked as IPv4 anyway.
  const hex = Buffer.from(net.split('.').map(Number)).toString('hex').replace(/.{4}$/, ':$&')
  for (const prefix of ['64:ff9b::', '::ffff:0:', '::']) PRIVATE.addSubnet(`${prefix}${hex}`, 96 + bits, 'ipv6')
  PRIVATE.addSubnet(`2002:${hex}::`, 16 + bits, 'ipv6')
}
for (const [net, bits] of [
  ['::', 127],
  ['64:ff9b:1::', 48],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const) {
  PRIVATE.addSubnet(net, bits, 'ipv6')
}

/** Whether an IP address is one of a private network, of this machine, or no place to connect to. A name is not. */
export function isPrivateAddress(address: string): boolean {
  const plain = address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address
  switch (isIP(plain)) {
    case 4:
      return PRIVATE.check(plain, 'ipv4')
    case 6:
      return PRIVATE.check(plain.replace(/%.*$/, ''), 'ipv6')
    default:
      return false
  }
}

/**
 * Whether `host` may be told a password that is meant for `trusted`: the same host, or one under the same parent
 * domain (`login.passport.com` and `loginnet.passport.com`). Addresses have no domain. A registry such as `co.uk` is no
 * parent: there the host itself is, so that a password never leaves the organisation.
 */
export function isSameOrganisation(host: string, trusted: string): boolean {
  const [wanted, known] = [bare(host), bare(trusted)]
  if (wanted === known) return true
  if (isIP(wanted) !== 0 || isIP(known) !== 0) return false
  const parent = parentOf(known)
  return wanted === parent || wanted.endsWith(`.${parent}`)
}

function parentOf(host: string): string {
  const labels = host.split('.')
  const rest = labels.slice(1)
  const [first = '', second = ''] = rest
  const isRegistry = rest.length < 2 || (rest.length === 2 && second.length === 2 && first.length <= 3)
  return isRegistry ? host : rest.join('.')
}

const bare = (host: string): string =>
  host
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
