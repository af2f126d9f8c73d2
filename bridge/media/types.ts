/** Pure. How a browser may be told to treat a file of somebody whom nobody knows. */

/** What is shown where it is opened: nothing of it can run. All else is only saved. */
const SHOWN: ReadonlySet<string> = new Set([
  'image/png',
  'image/jpeg',
  'image/gif',
  'image/webp',
  'image/avif',
  'audio/mpeg',
  'audio/mp4',
  'audio/aac',
  'audio/ogg',
  'audio/opus',
  'audio/webm',
  'audio/flac',
  'audio/wav',
  'audio/x-wav',
  'video/mp4',
  'video/webm',
  'video/ogg',
  'video/quicktime',
])

/** `mime`: as the network says. `name`: made safe already. */
export const fileHeaders = (mime: string | undefined, name: string): Readonly<Record<string, string>> => {
  const bare = (mime ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  const isShown = SHOWN.has(bare)
  const ascii = name.replaceAll(/[^ -~]/g, '_')
  const words = encodeURIComponent(name).replaceAll(/['()*]/g, (one) => `%${one.charCodeAt(0).toString(16)}`)
  return {
    'content-type': isShown ? bare : 'application/octet-stream',
    'content-disposition': `${isShown ? 'inline' : 'attachment'}; filename="${ascii}"; filename*=UTF-8''${words}`,
  }
}
