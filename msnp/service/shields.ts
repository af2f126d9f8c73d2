import { Buffer } from 'node:buffer'
import { encodeFrame } from '../wire/frame.ts'

/** A client policy that forbids nothing to anybody. Source: docs/protocol.md, Client policy. */
const POLICY = Buffer.from(
  '<?xml version="1.0" encoding="utf-8" ?>\n' +
    '<config>\n' +
    '\t<shield><cli maj="7" min="0" minbld="0" maxbld="9999" deny=" " /></shield>\n' +
    '\t<block></block>\n' +
    '</config>',
)

/** The name of the one file that clients ask for. */
export const SHIELDS = 'Shields.xml'

/** `GCF 6 Shields.xml 151` and the file. */
export const shields = (trid: string): Uint8Array => encodeFrame('GCF', [trid, SHIELDS], POLICY)
