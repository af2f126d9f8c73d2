/** Addresses of the service that stand for somebody elsewhere, or for the bridge. Pure. */

/** `bob=example.org@matrix.home.example`: the network and what stands for somebody there. `undefined`: one of our own. */
export const elsewhereOf = (
  email: string,
  domain: string,
): { readonly label: string; readonly local: string } | undefined => {
  const at = email.lastIndexOf('@')
  const host = email.slice(at + 1)
  const label = host.endsWith(`.${domain}`) ? host.slice(0, -domain.length - 1) : ''
  return label === '' ? undefined : { label, local: email.slice(0, at) }
}

/** Under which the bridge itself is a contact. */
export const bridgeAddress = (domain: string): string => `bridge@${domain}`
