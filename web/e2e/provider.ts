/** A small real identity provider on loopback: discovery, a page that asks, a code with PKCE, a signed token, its key. */
import { createHash, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export const client = { id: "firn-console", secret: "the client's secret at the provider" };

interface Somebody {
  subject: string;
  email: string;
  name: string;
}

export interface Provider {
  issuer: string;
  /** Whose token the next login gets. */
  somebody: Somebody;
  stop: () => Promise<void>;
}

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

export async function startProvider(somebody: Somebody): Promise<Provider> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const codes = new Map<string, URLSearchParams>();
  const provider = { issuer: "", somebody };

  const token = (nonce: string | null) => {
    const now = Math.floor(Date.now() / 1_000);
    const { subject, email, name } = provider.somebody;
    const claims = { iss: provider.issuer, sub: subject, aud: client.id, nonce, iat: now, exp: now + 300 };
    const head = `${base64({ alg: "ES256", kid: "one" })}.${base64({ ...claims, email, email_verified: true, name })}`;
    const signed = sign("sha256", Buffer.from(head), { key: privateKey, dsaEncoding: "ieee-p1363" });
    return `${head}.${signed.toString("base64url")}`;
  };
  const answers: Record<string, (asked: URLSearchParams) => unknown> = {
    "/.well-known/openid-configuration": () => ({
      issuer: provider.issuer,
      authorization_endpoint: `${provider.issuer}/authorize`,
      token_endpoint: `${provider.issuer}/token`,
      jwks_uri: `${provider.issuer}/keys`,
    }),
    "/keys": () => ({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "one", alg: "ES256", use: "sig" }] }),
    "/token": (asked) => {
      const grant = codes.get(asked.get("code") ?? "");
      codes.delete(asked.get("code") ?? "");
      const proof = createHash("sha256")
        .update(asked.get("code_verifier") ?? "")
        .digest("base64url");
      if (grant?.get("code_challenge") !== proof) return undefined;
      return { access_token: randomUUID(), token_type: "Bearer", id_token: token(grant.get("nonce")) };
    },
  };
  const asks = (asked: URLSearchParams) => {
    const code = randomUUID();
    codes.set(code, asked);
    const back = (answer: Record<string, string>) =>
      `${asked.get("redirect_uri")}?${new URLSearchParams({ ...answer, state: asked.get("state") ?? "" })}`.replaceAll(
        "&",
        "&amp;",
      );
    return `<!doctype html><title>The provider</title><a href="${back({ code })}">Yes, it is me</a> <a href="${back({ error: "access_denied" })}">No</a>`;
  };
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? "/", provider.issuer);
    let body = "";
    for await (const part of request) body += String(part);
    if (url.pathname === "/authorize") {
      response.setHeader("Content-Type", "text/html").end(asks(url.searchParams));
      return;
    }
    const answer = answers[url.pathname]?.(new URLSearchParams(body));
    response.writeHead(answer ? 200 : 400, { "Content-Type": "application/json" });
    response.end(JSON.stringify(answer ?? { error: "invalid_grant" }));
  };
  const server = createServer((request, response) => void serve(request, response));
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  provider.issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stop = () =>
    new Promise<void>((ended) => {
      server.close(() => ended());
      server.closeAllConnections();
    });
  return Object.assign(provider, { stop });
}
