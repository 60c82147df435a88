import { describe, expect, it } from "vitest";
import { isIn } from "./addresses";
import { tried } from "./mapping";
import { blocks, hasPrivateKey } from "./pem";

describe("mapping rules", () => {
  const subject = "CN=Payments,OU=Teams,O=Example";

  it("take the first that matches all of the text", () => {
    const rules = "RULE:^CN=(.*?),OU=Other.*$/$1/,RULE:^CN=(.*?),OU=Teams.*$/$1@teams/L,DEFAULT";
    expect(tried(rules, subject)).toEqual({
      kind: "name",
      name: "payments@teams",
      rule: "RULE:^CN=(.*?),OU=Teams.*$/$1@teams/L",
    });
    expect(tried(rules, "CN=x")).toMatchObject({ name: "CN=x", rule: "DEFAULT" });
  });

  it("give nobody a name whom no rule matches", () => {
    expect(tried("RULE:CN=a/a/", subject)).toEqual({ kind: "none" });
  });

  it("know slashes, literal dollars and texts that are no rules", () => {
    expect(tried("RULE:a\\/(b)/\\$$1/U", "a/b")).toMatchObject({ name: "$B" });
    expect(tried("RULE:a", "a").kind).toBe("unreadable");
    expect(tried("RULE:((/x/", "a").kind).toBe("unreadable");
  });
});

describe("networks", () => {
  it("have what is in them, in both families", () => {
    expect(isIn("192.0.2.0/24", "192.0.2.77")).toBe(true);
    expect(isIn("192.0.2.0/24", "192.0.3.1")).toBe(false);
    expect(isIn("192.0.2.1", "192.0.2.1")).toBe(true);
    expect(isIn("2001:db8::/32", "2001:db8:1::5")).toBe(true);
    expect(isIn("2001:db8::/32", "192.0.2.1")).toBe(false);
    expect(isIn("0.0.0.0/0", "192.0.2.1")).toBe(true);
  });

  it("are none when they are not written as such", () => {
    for (const text of ["", "10.0.0", "10.0.0.256", "10.0.0.0/33", "10.0.0.0/", "a::b::c", "example.com"])
      expect(isIn(text, "10.0.0.1"), text).toBeUndefined();
  });
});

describe("PEM", () => {
  it("is found among other text, and private keys are noticed", () => {
    const certificate = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----";
    expect(blocks(`subject=x\n${certificate}\n\n${certificate}\n`, "CERTIFICATE")).toEqual([certificate, certificate]);
    expect(blocks(certificate, "X509 CRL")).toEqual([]);
    expect(hasPrivateKey("-----BEGIN EC PRIVATE KEY-----")).toBe(true);
    expect(hasPrivateKey(certificate)).toBe(false);
  });
});
