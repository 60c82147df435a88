/** The number that this answer's content security policy allows styles by; the service writes it into the page. */
export function nonce(): string {
  return document.querySelector('meta[name="csp-nonce"]')?.getAttribute("content") ?? "";
}
