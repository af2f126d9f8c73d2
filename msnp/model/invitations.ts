/** What people invite to besides files, by what the invitation says. Source: docs/protocol.md, Invitations. */

/** GUIDs of applications (text/x-msmsgsinvite) and of sessions between peers, upper case. */
const KNOWN: ReadonlyMap<string, string> = new Map([
  ['{44BBA842-CC51-11CF-AAFA-00AA00B6015C}', 'NetMeeting'],
  ['{02D3C01F-BF30-4825-A83A-DE7AF41648AA}', 'a voice conversation'],
  ['{56B994A7-380F-410B-9985-C809D78C1BDC}', 'Remote Assistance'],
  ['{F1B1920C-6A3C-4CE7-B18C-AFAB305FD03D}', 'application sharing'],
  ['{8DAE4336-2B71-11D4-9A6C-006067325E47}', "a game of Baldur's Gate II"],
  ['{4BD96FC0-AB17-4425-A14A-439185962DC8}', 'see their webcam'],
  ['{1C9AA97E-9C05-4583-A3BD-908A196F1E92}', 'show your webcam'],
  ['{6A13AF9C-5308-4F35-923A-67E8DDA40C2F}', 'a game or another activity'],
])

/** What that GUID stands for, to be put behind "invites you to"; undefined: nobody knows it. Any case. */
export const invitedTo = (guid: string | undefined): string | undefined =>
  guid === undefined ? undefined : KNOWN.get(guid.toUpperCase())
