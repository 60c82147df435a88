/** The session's CSRF token: told by a login and by `GET /v1/sessions/current`, kept in memory only. */
let token: string | undefined;

export function csrfToken(): string | undefined {
  return token;
}

export function keepCsrfToken(given: string | undefined): void {
  token = given;
}
