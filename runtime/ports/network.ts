export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly url: string
  readonly body: string | null
  readonly contentType: string | null
  /** 100..30000 */
  readonly timeoutMs: number
}

/** Requests that the box makes to others. */
export interface Network {
  /** Resolves with the status code; the body is read and dropped (1 MiB at most). Throws BoxError `link.down` or `link.timeout`. */
  request(request: HttpRequest): Promise<number>
}
