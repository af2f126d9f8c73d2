import { encodeNick } from '../wire/escape.ts'

/** Never empty, as a word of a line cannot be. */
export const nameWord = ({ name, email }: { readonly name: string; readonly email: string }): string =>
  name === '' ? email : encodeNick(name)
