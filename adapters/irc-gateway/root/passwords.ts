/** What waits for a password that its owner enters by /OPER, so that no client writes it into a log. */
import type { NetworkId } from '../../../bridge/model/ids.ts'
import type { Waits } from './waits.ts'

export type Waiting =
  | { readonly kind: 'identify' | 'register'; readonly name: string }
  | { readonly kind: 'login'; readonly network: NetworkId; readonly address: string }
  | { readonly kind: 'own' }
  | { readonly kind: 'drop' }

export type Passwords = Waits<Waiting>
