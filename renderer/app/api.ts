import { createApiClient } from '#common/contract/client.ts'

/** The typed client of the workstation's REST API, on the page's own origin. */
export const api = createApiClient<Response, BodyInit, AbortSignal>((url, init) =>
  fetch(url, {
    method: init.method,
    headers: init.headers,
    ...(init.body === undefined ? {} : { body: init.body }),
    ...(init.signal === undefined ? {} : { signal: init.signal }),
  }),
)
