/** How whoever asked for something is told what came of it. */
import type { NotificationContext, Pending } from './notification-context.ts'
import type { NotificationAnswer } from './notification-states.ts'
import type { Request } from './requests.ts'

/** Nobody waits: the server says so unasked, and that was told already. */
export function answer(
  { line }: NotificationContext,
  request: Request<Pending> | undefined,
  say: NotificationAnswer,
): void {
  if (request?.what.kind === 'request') line.emit({ kind: 'answer', id: request.what.id, answer: say })
}

export function unreadable(context: NotificationContext, request: Request<Pending> | undefined, verb: string): void {
  context.line.malformedLines++
  answer(context, request, { kind: 'unreadable', verb })
}
