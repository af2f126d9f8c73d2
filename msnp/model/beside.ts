/**
 * What a client says in place of its product in CVR, if it wants to stand beside the person's Messenger instead of
 * ending its session. Source: docs/protocol.md, A session beside the Messenger.
 */
export const BESIDE_CLIENT = 'MSN-BRIDGE'
