export { DEFAULT_CLIENT_ID, MAX_REDIRECTS, MsnClient } from './io/client.ts'
export { MAX_SWITCHBOARDS } from './io/client-switchboards.ts'
export type { Answer as ClientAnswer } from './io/notification-connection.ts'
export { MAX_ADDRESS_BYTES, MAX_NAME_BYTES, wrongAddress } from './session/client-requests.ts'
export { NotificationClient, type NotificationClientOptions } from './session/notification-client.ts'
export type {
  EditableList,
  NotificationAnswer,
  NotificationCommand,
  NotificationEvent,
  NotificationRequest,
  NotificationState,
  SignedIn,
} from './session/notification-states.ts'
export { SwitchboardClient } from './session/switchboard-client.ts'
export type {
  SwitchboardClientOptions,
  SwitchboardCommand,
  SwitchboardEvent,
  SwitchboardState,
} from './session/switchboard-client-states.ts'
export * from './io/client-contract.ts'
export { onList, type Contact, type Group, type Presence, type Privacy } from './session/roster.ts'
export { MsnServer } from './io/server.ts'
export type { Listening, MsnServerOptions, ServerCounters } from './io/server-contract.ts'
export { DEFAULT_GATEWAY_LIMITS, type GatewayLimits } from './io/gateway.ts'
export type { ListenAddress } from './io/listener.ts'
export { isCertificateFor, makeCertificate, type KeyPair } from './io/certificate.ts'
export {
  DEFAULT_LIMITS,
  DEFAULT_TIMINGS,
  newAccount,
  type AccountRecord,
  type ContactRecord,
  type Host,
  type Introduction,
  type PhoneCode,
  type Resident,
  type ResidentTalk,
  type Participants,
  type SeenPresence,
  type ServiceLimits,
  type ServiceNotice,
  type ServiceTimings,
} from './service/contract.ts'
export {
  CONTENT_TYPES,
  MAX_MESSAGE_BYTES,
  emoticonMessage,
  goingDownMessage,
  inParts,
  inviteDecline,
  nudgeMessage,
  parseSaid,
  parseServerSaid,
  textMessage,
  textRoom,
  typingMessage,
  type CancelCode,
  type EmoticonPair,
  type Said,
} from './model/content-types.ts'
export type { Spoken } from './model/spoken.ts'
export { invitedTo } from './model/invitations.ts'
export { newsOfMail, type MailNews } from './model/mail.ts'
export {
  FILE_TRANSFER,
  fileAcceptance,
  fileInvitation,
  parseFileAcceptance,
  parseFileInvitation,
  type FileAcceptance,
  type FileInvitation,
  type FilePlace,
} from './model/file-invitation.ts'
export { BYE, type FileTimings } from './session/file-lines.ts'
export { FileReceiver } from './session/file-receiver.ts'
export { FileSender } from './session/file-sender.ts'
export { allowedAddresses, FilePorts, wrongAllowance, type PortRange } from './io/file-ports.ts'
export {
  FileBroken,
  type ArrivingFile,
  type FileFailure,
  type FileTransferOptions,
  type Meeting,
} from './io/file-contract.ts'
export { receiveFile, sendFile } from './io/file-transfer.ts'
export { PLAIN_FORMAT, formatTextFormat, parseTextFormat, type TextFormat } from './model/text-format.ts'
export {
  CLIENT_BITS,
  NEUTRAL_CLIENT_ID,
  clientId,
  generationOf,
  hasFeature,
  parseClientId,
  type ClientFeature,
} from './model/client-id.ts'
export { STATUSES, type Status } from './model/status.ts'
export { DIALECTS, TRAITS, type Dialect } from './model/dialect.ts'
export {
  formatPersonalMessage,
  mediaLine,
  NO_PERSONAL_MESSAGE,
  parsePersonalMessage,
  samePersonalMessage,
  songOf,
  type CurrentMedia,
  type PersonalMessage,
} from './model/personal-message.ts'
export { parseMime, type HeaderBlock, type MimeMessage } from './wire/mime.ts'
export { errorCode, reactionTo, type ErrorCode, type Reaction } from './wire/error-codes.ts'
export { parseAddress } from './model/address.ts'
export { withPending } from './service/lists.ts'
export { forgetWatcher } from './service/removal.ts'
export { NotificationServer, type NotificationServerOptions } from './session/notification-server.ts'
export type { NsCommand, NsEvent } from './session/notification-server-events.ts'
export { Notifications, type NotificationDeps } from './service/notification.ts'
export { relayedMessage, relayPrefix } from './session/relay.ts'
export type {
  AckType as SwitchboardAck,
  Person,
  SwitchboardCommand as SwitchboardServerCommand,
  SwitchboardEvent as SwitchboardServerEvent,
} from './session/switchboard-server-events.ts'
export { SwitchboardServer, type SwitchboardServerOptions } from './session/switchboard-server.ts'
export {
  describeObject,
  formatMsnObject,
  isObjectData,
  OBJECT_TYPES,
  parseMsnObject,
  type MsnObject,
} from './model/msn-object.ts'
export { P2pEndpoint } from './p2p/endpoint.ts'
export {
  DEFAULT_P2P_LIMITS,
  DEFAULT_P2P_TIMINGS,
  type P2pCommand,
  type P2pEnd,
  type P2pEvent,
  type P2pLimits,
  type P2pOptions,
  type P2pOutput,
  type P2pTimings,
  type SessionHandle,
} from './p2p/contract.ts'
export type { FileOffer } from './p2p/file-context.ts'
