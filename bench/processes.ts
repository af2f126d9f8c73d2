import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const canPin = spawnSync('taskset', ['-V']).status === 0

/** Whether server and load really run on cores of their own. */
export const pinned = (): boolean => canPin

/** Gives a process that runs a core of its own, with all its threads. */
export const pin = (pid: number, core: 0 | 1): void => {
  if (canPin) spawnSync('taskset', ['-a', '-c', '-p', String(core), String(pid)])
}

/** A child of this benchmark on a core of its own, spoken to by messages: each ask has one answer. */
export class Child {
  readonly #process: ChildProcess
  #next = 0
  readonly #asked = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>()

  private constructor(process: ChildProcess) {
    this.#process = process
    process.on('message', (message: { id: number; value?: never; error?: string }) => {
      const waiting = this.#asked.get(message.id)
      this.#asked.delete(message.id)
      if (message.error === undefined) waiting?.resolve(message.value as never)
      else waiting?.reject(new Error(message.error))
    })
    process.on('exit', (code, signal) => {
      for (const { reject } of this.#asked.values()) reject(new Error(`the child ended: ${code ?? signal ?? ''}`))
      this.#asked.clear()
    })
  }

  /** `file`: name in bench/children. */
  static start(file: string, core: 0 | 1): Child {
    const path = fileURLToPath(new URL(`./children/${file}.ts`, import.meta.url))
    const node = [process.execPath, '--expose-gc', '--disable-warning=ExperimentalWarning', path]
    const [command = '', ...args] = canPin ? ['taskset', '-c', String(core), ...node] : node
    return new Child(spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }))
  }

  ask<Answer>(what: string, ...params: readonly unknown[]): Promise<Answer> {
    const id = this.#next++
    return new Promise<Answer>((resolve, reject) => {
      this.#asked.set(id, { resolve, reject })
      this.#process.send({ id, what, params })
    })
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const ended = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await ended
  }
}

type Answers = Readonly<Record<string, (...params: never[]) => unknown>>

/** The child's side of `Child.ask`. */
export function answer(answers: Answers): void {
  process.on('message', (message: { id: number; what: string; params: never[] }) => {
    const reply = (body: object): void => void process.send?.({ id: message.id, ...body })
    Promise.resolve()
      .then(() => answers[message.what]?.(...message.params))
      .then(
        (value) => reply({ value }),
        (error: unknown) => reply({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
      )
  })
}

/** Microseconds of a clock that all processes of this machine share. */
export const sharedClock = (): number => Number(process.hrtime.bigint() / 1000n)

/** Bytes, when everything that is garbage has been collected. */
export interface Memory {
  readonly rss: number
  readonly heap: number
}

export function memoryInUse(): Memory {
  for (let round = 0; round < 4; round++) globalThis.gc?.()
  const { rss, heapUsed } = process.memoryUsage()
  return { rss, heap: heapUsed }
}
