import { closeSync, constants, openSync, writeSync } from 'node:fs'

/**
 * The writing end of a program's FIFO. It stays open: a program that sees the end of one opens it anew, and what is
 * written just then is lost.
 */
export class Fifo {
  readonly #fd: number

  private constructor(fd: number) {
    this.#fd = fd
  }

  /** Fails where nobody reads. */
  static open(path: string): Fifo {
    return new Fifo(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK))
  }

  line(text: string): void {
    writeSync(this.#fd, `${text}\n`)
  }

  close(): void {
    closeSync(this.#fd)
  }
}
