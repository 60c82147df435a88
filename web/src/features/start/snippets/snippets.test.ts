import { describe, expect, it } from "vitest";
import { snippets } from ".";

const to = {
  bootstrap: "kafka.example:9093",
  username: "user-1",
  password: "pa55",
  topic: "hello",
  authority: "https://firn.example/v1/certificate-authority",
};

describe("snippets", () => {
  it("are complete: nothing is left to fill in", () => {
    for (const { name, setup, produce, consume } of snippets(to)) {
      for (const part of [produce, consume]) {
        const text = [...setup, ...part].map(({ code }) => code).join("\n");
        for (const word of [to.bootstrap, to.username, to.password, to.topic, to.authority, "firn-ca.pem"]) {
          expect(text, `${name} lacks ${word}`).toContain(word);
        }
        expect(text).not.toMatch(/<[a-z-]*(password|server|topic)[a-z-]*>|YOUR_|undefined/i);
      }
    }
  });

  it("trust the public roots where the service has no authority of its own", () => {
    for (const { name, setup, produce, consume } of snippets({ ...to, authority: null })) {
      const text = [...setup, ...produce, ...consume].map(({ code }) => code).join("\n");
      expect(text, name).not.toMatch(/firn-ca|certificate-authority|truststore|x509/);
    }
  });
});
