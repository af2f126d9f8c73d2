/** Addresses of the service that stand for somebody elsewhere, or for the bridge. Pure. */

/** The network, as it stands in the address, and what stands for somebody there. */
export interface Place {
  readonly label: string
  readonly local: string
}

/** Of `bob=example.org@matrix.home.example`. `undefined`: one of our own. */
export const elsewhereOf = (email: string, domain: string): Place | undefined => {
  const at = email.lastIndexOf('@')
  const host = email.slice(at + 1)
  const label = host.endsWith(`.${domain}`) ? host.slice(0, -domain.length - 1) : ''
  return label === '' ? undefined : { label, local: email.slice(0, at) }
}

/** The address of what stands there. */
export const elsewhereAddress = ({ label, local }: Place, domain: string): string => `${local}@${label}.${domain}`

/** Under which the bridge itself is a contact. */
export const bridgeAddress = (domain: string): string => `bridge@${domain}`
