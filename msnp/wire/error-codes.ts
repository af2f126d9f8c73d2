/**
 * What to do about an error.
 * retry: later, with growing pauses. permanent: not for this request; the person is told. ask: a person must do
 * something. bug: the request was wrong; log it. in-sync: the wish was fulfilled already; treat as done. end: the
 * session is over and must not be tried again by itself.
 */
export type Reaction = 'retry' | 'permanent' | 'ask' | 'bug' | 'in-sync' | 'end'

export interface ErrorCode {
  readonly code: number
  /** A word for logs and metrics. */
  readonly name: string
  readonly meaning: string
  readonly reaction: Reaction
  /** Where a command asks for another reaction than the rest. */
  readonly except?: Readonly<Record<string, Reaction>>
  /** Before a retry, at least so long. Milliseconds. */
  readonly pauseMs?: number
}

const row = (
  code: number,
  name: string,
  meaning: string,
  reaction: Reaction,
  more: Pick<ErrorCode, 'except' | 'pauseMs'> = {},
): ErrorCode => ({ code, name, meaning, reaction, ...more })

/** Every code that is known, in order. Source: docs/protocol.md, Errors. */
export const ERROR_CODES: readonly ErrorCode[] = [
  row(100, 'legacy-100', 'seen by the oldest clients only', 'in-sync'),
  row(146, 'legacy-146', 'seen by the oldest clients only', 'in-sync'),
  row(200, 'illegal-command', 'the command is unknown', 'bug'),
  row(201, 'invalid-parameter', 'a parameter is not valid', 'bug', { except: { ADD: 'permanent', ADC: 'permanent' } }),
  row(203, 'invalid-federated-user', 'the person of another network is not valid', 'permanent'),
  row(204, 'invalid-network', 'the network id is not valid', 'bug'),
  row(205, 'no-such-account', 'the account does not exist', 'permanent'),
  row(206, 'domain-missing', 'the address has no domain', 'permanent'),
  row(207, 'already-signed-in', 'this connection is signed in already', 'bug'),
  row(208, 'invalid-account', 'the address is not valid, or from MSNP10 the account does not exist', 'permanent'),
  row(209, 'illegal-name', 'the name is not allowed, or the address is not verified', 'ask'),
  row(210, 'list-full', 'the list is full', 'ask'),
  row(213, 'invalid-rename', 'the contact cannot be renamed so', 'permanent'),
  row(215, 'already-there', 'is on the list or in the room already', 'in-sync'),
  row(216, 'not-on-list', 'is not on the list; for a call: has blocked you', 'permanent', {
    except: { REM: 'in-sync' },
  }),
  row(217, 'not-online', 'is offline, hidden or unknown', 'retry'),
  row(218, 'already-set', 'is set so already', 'in-sync'),
  row(219, 'on-opposite-list', 'is on the opposite list', 'ask'),
  row(220, 'no-pages', 'does not take pages', 'permanent'),
  row(223, 'too-many-groups', 'there are too many groups', 'ask'),
  row(224, 'no-such-group', 'the group does not exist', 'permanent'),
  row(225, 'not-in-group', 'is not in the group', 'in-sync'),
  row(226, 'group-not-empty', 'the group is not empty', 'permanent'),
  row(227, 'group-not-empty', 'the group is not empty', 'permanent'),
  row(228, 'group-exists', 'a group of that name exists', 'ask'),
  row(229, 'group-name-too-long', 'the name of the group is too long', 'ask'),
  row(230, 'group-is-fixed', 'group 0 cannot be removed', 'bug'),
  row(231, 'invalid-group', 'the group is not valid', 'permanent'),
  row(232, 'invalid-phone', 'the phone or its network is not valid', 'permanent'),
  row(233, 'invalid-phone', 'the phone or its network is not valid', 'permanent'),
  row(234, 'invalid-phone', 'the phone or its network is not valid', 'permanent'),
  row(240, 'empty-domain-list', 'the list of people is empty', 'bug'),
  row(241, 'invalid-list-xml', 'the list of people cannot be read', 'bug'),
  row(280, 'switchboard-failed', 'the switchboard failed', 'retry'),
  row(281, 'switchboard-transfer-failed', 'the transfer to a switchboard failed', 'retry'),
  row(282, 'invalid-direct-message', 'the message from client to client is not valid', 'bug'),
  row(285, 'message-too-long', 'the message is too long', 'permanent'),
  row(300, 'parameter-missing', 'a required parameter is missing', 'bug'),
  row(301, 'too-many-results', 'the search found too many', 'permanent'),
  row(302, 'not-signed-in', 'you are not signed in', 'bug'),
  row(402, 'address-book-failed', 'the address book failed', 'retry'),
  row(403, 'invalid-contact-id', 'the contact id is not valid', 'permanent'),
  row(420, 'no-permission', 'the account lacks the permission', 'end'),
  row(500, 'internal-error', 'the service had an internal error', 'retry'),
  row(501, 'database-failed', 'the database of the service failed', 'retry'),
  row(502, 'command-disabled', 'the command is switched off', 'bug'),
  row(503, 'service-down', 'the service is down', 'retry'),
  row(504, 'service-down', 'the service is down', 'retry'),
  row(508, 'page-failed', 'the page or the federated request failed', 'permanent'),
  row(509, 'page-failed', 'the page or the federated request failed', 'permanent'),
  row(510, 'file-operation-failed', 'a file operation of the service failed', 'retry'),
  row(511, 'account-banned', 'the account is banned', 'end'),
  row(520, 'out-of-memory', 'the service is out of memory', 'retry'),
  row(540, 'challenge-failed', 'the answer to the challenge was wrong or late', 'end'),
  row(600, 'server-busy', 'the server is busy', 'retry'),
  row(601, 'server-unavailable', 'the server is not available', 'retry'),
  row(602, 'peer-server-down', 'another notification server is down', 'retry'),
  row(603, 'database-unreachable', 'the database of the service cannot be reached', 'retry'),
  row(604, 'server-going-down', 'the server is going down', 'retry'),
  row(605, 'server-unavailable', 'the server is not available', 'retry'),
  row(606, 'paging-unavailable', 'paging is not available', 'permanent'),
  row(700, 'connection-failed', 'a connection could not be made', 'retry'),
  row(707, 'connection-failed', 'a connection could not be made', 'retry'),
  row(710, 'invalid-client-version', 'the client version was not understood', 'bug'),
  row(711, 'write-blocking', 'the server cannot write', 'retry'),
  row(712, 'session-overloaded', 'the session is overloaded', 'retry'),
  row(713, 'calling-too-fast', 'too many calls', 'retry', { pauseMs: 60_000 }),
  row(714, 'too-many-sessions', 'there are too many sessions', 'retry', { pauseMs: 60_000 }),
  row(715, 'not-expected', 'not expected now, or the address is not verified', 'bug', { except: { REA: 'ask' } }),
  row(717, 'bad-friend-file', 'the contact list of the service is broken', 'end'),
  row(718, 'restricted', 'the person is restricted', 'permanent'),
  row(719, 'restricted', 'the person is restricted', 'permanent'),
  row(726, 'restricted', 'the person is restricted', 'permanent'),
  row(731, 'not-expected', 'the client version was not expected now', 'bug'),
  row(733, 'signed-out-elsewhere', 'another place signed this one out', 'end'),
  row(734, 'too-many-places', 'signed in at too many places', 'end'),
  row(800, 'too-fast', 'changing too rapidly', 'retry', { pauseMs: 60_000 }),
  row(910, 'server-too-busy', 'the server is too busy', 'retry'),
  row(911, 'authentication-failed', 'the ticket or the address was not accepted', 'ask', {
    except: { ANS: 'permanent' },
  }),
  row(912, 'server-too-busy', 'the server is too busy', 'retry'),
  row(913, 'hidden', 'not allowed while hidden or offline', 'ask'),
  row(914, 'server-unavailable', 'the server is not available', 'retry'),
  row(915, 'server-unavailable', 'the server is not available', 'retry'),
  row(916, 'server-unavailable', 'the server is not available', 'retry'),
  row(917, 'authentication-failed', 'the sign-in was not accepted', 'ask'),
  row(918, 'server-too-busy', 'the server is too busy', 'retry'),
  row(919, 'server-too-busy', 'the server is too busy', 'retry'),
  row(920, 'no-new-people', 'the server takes nobody new', 'retry'),
  row(921, 'server-too-busy', 'the server took too long', 'retry'),
  row(922, 'server-too-busy', 'the server is too busy', 'retry'),
  row(923, 'child-without-consent', "a child's account without consent", 'end'),
  row(924, 'address-not-verified', 'the address is not verified', 'end'),
  row(926, 'managed-account-denied', 'the account is managed and was denied', 'end'),
  row(927, 'managed-account-suspended', 'the account is managed and suspended', 'end'),
  row(928, 'bad-ticket', 'the ticket is not valid any more', 'retry'),
  row(931, 'wrong-server', 'the account is not on this server', 'retry'),
  row(933, 'circle-failed', 'a circle or signature failed', 'permanent'),
  row(935, 'circle-failed', 'a circle or signature failed', 'permanent'),
]

const BY_CODE: ReadonlyMap<number, ErrorCode> = new Map(ERROR_CODES.map((error) => [error.code, error]))

/**
 * The row of a code. An unknown one gets a row by its first digit: 5, 6 and 9 are troubles of the server and may pass,
 * the others concern this request.
 */
export function errorCode(code: number): ErrorCode {
  const known = BY_CODE.get(code)
  if (known !== undefined) return known
  const passing = [5, 6, 9].includes(Math.floor(code / 100))
  return row(code, `unknown-${code}`, `error ${code}`, passing ? 'retry' : 'permanent')
}

/** What to do about `code` in answer to `verb`. */
export const reactionTo = (code: number, verb: string): Reaction => {
  const error = errorCode(code)
  return error.except?.[verb] ?? error.reaction
}

/** The code, when the verb of a frame is an error. */
export const errorNumber = (verb: string): number | undefined => (/^[0-9]{3}$/.test(verb) ? Number(verb) : undefined)
