/** An answer that refuses: what a homeserver says with a status that is not 200. */
export class MatrixError extends Error {
  readonly status: number
  readonly errcode: string
  readonly more: Readonly<Record<string, unknown>>

  constructor(status: number, errcode: string, words: string, more: Readonly<Record<string, unknown>> = {}) {
    super(words)
    this.status = status
    this.errcode = errcode
    this.more = more
  }
}

export const forbidden = (words: string): MatrixError => new MatrixError(403, 'M_FORBIDDEN', words)
export const notFound = (words: string): MatrixError => new MatrixError(404, 'M_NOT_FOUND', words)
export const badRequest = (words: string, errcode = 'M_UNKNOWN'): MatrixError => new MatrixError(400, errcode, words)
