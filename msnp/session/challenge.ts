import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'

/** What a client calls itself in QRY, and the key that goes with it. */
export interface Product {
  readonly id: string
  readonly key: string
  /** First and last dialect whose clients used it, as the number in MSNP<n>. */
  readonly dialects: readonly [first: number, last: number]
}

/** Source: docs/protocol.md, Challenge. */
export const PRODUCTS: readonly Product[] = [
  { id: 'msmsgs@msnmsgr.com', key: 'Q1P7W2E4J9R8U3S5', dialects: [6, 10] },
  { id: 'PROD0038W!61ZTF9', key: 'VT6PX?UQTM4WM%YR', dialects: [6, 10] },
  { id: 'PROD0058#7IL2{QD', key: 'QHDCY@7R1TB6W?5B', dialects: [6, 10] },
  { id: 'PROD0061VRRZH@4F', key: 'JXQ6J@TUOGYV@N0M', dialects: [6, 10] },
  { id: 'PROD00504RLUG%WL', key: 'I2EBK%PYNLZL5_J4', dialects: [6, 10] },
  { id: 'PROD0076ENE8*@AW', key: 'CEQJ8}OE0!WTSWII', dialects: [6, 10] },
  { id: 'PROD0090YUAUV{2B', key: 'YMM8C_H7KCQ2S_KL', dialects: [11, 12] },
  { id: 'PROD0101{0RM?UBW', key: 'CFHUR$52U_{VIX5T', dialects: [11, 12] },
  { id: 'PROD01065C%ZFN6F', key: 'O4BG@C7BWLYQX?5G', dialects: [13, 14] },
  { id: 'PROD0112J1LW7%NB', key: 'RH96F{PHI8PPX_TJ', dialects: [13, 14] },
  { id: 'PROD0113H11T8$X_', key: 'RG@XY*28Q5QHS%Q5', dialects: [15, 18] },
  { id: 'PROD0114ES4Z%Q5W', key: 'PK}_A_0N_K%O?A9S', dialects: [15, 18] },
  { id: 'PROD0118R6%2WYOS', key: 'YIXPX@5I2P0UT*LK', dialects: [15, 18] },
  { id: 'PROD0119GSJUC$18', key: 'ILTXC!4IXB5FB*PX', dialects: [15, 18] },
  { id: 'PROD0120PW!CCV9@', key: 'C1BX{V4W}Q3*10SM', dialects: [15, 18] },
]

/** The first dialect with the longer calculation. */
const SECOND_CALCULATION = 11

/** The name that our client uses in `dialect`, the number in MSNP<n>. */
export const productFor = (dialect: number): Product =>
  PRODUCTS.find(({ dialects: [first, last] }) => first <= dialect && dialect <= last) ?? FALLBACK

const FALLBACK: Product = { id: 'msmsgs@msnmsgr.com', key: 'Q1P7W2E4J9R8U3S5', dialects: [6, 10] }

/** The 32 lower-case hexadecimal digits that go under QRY. `challenge` is the parameter of CHL. */
export const challengeAnswer = (challenge: string, product: Pick<Product, 'id' | 'key'>, dialect: number): string =>
  dialect < SECOND_CALCULATION
    ? md5(challenge + product.key).toString('hex')
    : secondCalculation(challenge, product.id, product.key)

/** Whether a client's QRY answers the challenge. A product that nobody knows cannot be checked and is wrong. */
export function isRightAnswer(challenge: string, productId: string, payload: Uint8Array, dialect: number): boolean {
  const product = PRODUCTS.find(({ id }) => id === productId)
  if (product === undefined || payload.length !== 32) return false
  return Buffer.from(payload).toString('latin1').toLowerCase() === challengeAnswer(challenge, product, dialect)
}

const md5 = (text: string): Buffer => createHash('md5').update(text, 'latin1').digest()

const M = 0x7fffffffn
const FACTOR = 0x0e79a9c1n

/**
 * MSNP11 and later. Products of 31-bit numbers pass what a double holds, hence BigInt. The masked words of the hash are
 * the key of the sum, the unmasked ones are what it is mixed into.
 */
function secondCalculation(challenge: string, id: string, key: string): string {
  const hash = md5(challenge + key)
  const words = [0, 4, 8, 12].map((at) => hash.readUInt32LE(at))
  const [k0, k1, k2, k3] = words.map((word) => BigInt(word & 0x7fffffff)) as [bigint, bigint, bigint, bigint]
  const text = challenge + id
  const padded = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8, '0'), 'latin1')
  let high = 0n
  let low = 0n
  for (let at = 0; at + 8 <= padded.length; at += 8) {
    const first = (BigInt(padded.readUInt32LE(at)) * FACTOR) % M
    const mixed = ((first + high) * k0 + k1) % M
    high = (BigInt(padded.readUInt32LE(at + 4)) + mixed) % M
    high = (high * k2 + k3) % M
    low += high + mixed
  }
  high = (high + k1) % M
  low = (low + k3) % M
  const out = Buffer.alloc(16)
  words.forEach((word, index) => {
    out.writeUInt32LE((word ^ Number(index % 2 === 0 ? high : low)) >>> 0, index * 4)
  })
  return out.toString('hex')
}
