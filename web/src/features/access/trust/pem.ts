/** Texts with several PEM blocks, as people paste them. */

/** The blocks of a kind, one each; what stands around them is left out. */
export function blocks(text: string, kind: "CERTIFICATE" | "X509 CRL"): string[] {
  return text.match(new RegExp(`-----BEGIN ${kind}-----[\\s\\S]*?-----END ${kind}-----`, "g")) ?? [];
}

/** Whether a private key was pasted, which belongs nowhere but to whom it is. */
export function hasPrivateKey(text: string): boolean {
  return /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text);
}
