/** What else clients ask of web servers, answered with as little as they take. Source: docs/protocol.md, Other pages. */
import type { Reply } from './web.ts'

const XML = { 'Content-Type': 'text/xml; charset=utf-8' }
const DECLARATION = '<?xml version="1.0" encoding="utf-8" ?>'

/** No tabs, no advertisements, no address book elsewhere. */
const CONFIG =
  '<MsgrConfig><TabConfig><msntabdata></msntabdata><msntabsettings><oemdisplaylimit>1</oemdisplaylimit>' +
  '<oemtotallimit>1</oemtotallimit></msntabsettings></TabConfig><LocalizedConfig Market="en-US"></LocalizedConfig></MsgrConfig>'

const SOAP_CONFIG =
  `${DECLARATION}<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>` +
  '<GetClientConfigResponse xmlns="http://www.msn.com/webservices/Messenger/Client"><GetClientConfigResult>' +
  `<![CDATA[${CONFIG}]]></GetClientConfigResult></GetClientConfigResponse></soap:Body></soap:Envelope>`

const PAGES: Readonly<Record<string, { readonly get?: Reply; readonly post?: Reply }>> = {
  '/config/msgrconfig.asmx': {
    get: { status: 200, headers: XML, body: `${DECLARATION}${CONFIG}` },
    post: { status: 200, headers: XML, body: SOAP_CONFIG },
  },
  '/svcs/mms/tabs.asp': { get: { status: 200, headers: XML, body: `${DECLARATION}<msntabdata></msntabdata>` } },
  '/svcs/mms/portal.asp': {
    get: { status: 200, body: '<html><head><title>Messenger</title></head><body>You are signed in.</body></html>' },
  },
  '/etc/text-ad-service': { get: { status: 200, headers: XML } },
  // The login server is probed so before a login.
  '/': { post: { status: 200 } },
}

/** `path` in lower case, without the query. Whatever there is not is said so at once, since clients wait. */
export function pageFor(method: string, path: string): Reply {
  const page = Object.hasOwn(PAGES, path) ? PAGES[path] : undefined
  const reply = method === 'POST' ? page?.post : method === 'GET' || method === 'HEAD' ? page?.get : undefined
  return reply ?? { status: 404 }
}
