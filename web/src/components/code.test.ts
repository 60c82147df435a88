import { describe, expect, it } from "vitest";
import { curl, expression, hcl, label, removed } from "./code";

describe("curl", () => {
  it("quotes what a shell would read", () => {
    const command = curl(
      { method: "POST", path: "/v1/projects", body: { name: "it's $HOME" } },
      "https://firn.example",
    );
    expect(command).toContain(`it'\\''s $HOME`);
    expect(command).toContain("-X POST 'https://firn.example/v1/projects'");
    expect(command).toContain("$FIRN_API_KEY");
  });

  it("sends what only a person may with a session, and what anybody may with nothing", () => {
    const request = { method: "POST", path: "/v1/x", body: {} } as const;
    expect(curl({ ...request, by: "person" }, "")).toMatch(
      /Cookie: .*\$FIRN_SESSION[\s\S]*X-CSRF-Token: \$FIRN_CSRF_TOKEN/,
    );
    for (const by of ["person", "anybody"] as const) expect(curl({ ...request, by }, "")).not.toContain("Bearer");
  });
});

describe("a change of what is there", () => {
  it("names a version, as the API asks of changes and deletions", () => {
    for (const method of ["PATCH", "DELETE"] as const)
      expect(curl({ method, path: "/v1/projects/p" }, "")).toContain("If-Match: *");
    expect(curl({ method: "POST", path: "/v1/projects" }, "")).not.toContain("If-Match");
  });
});

describe("hcl", () => {
  // biome-ignore-start lint/suspicious/noTemplateCurlyInString: they are what is tested
  it("aligns, nests, leaves out what is absent, and takes interpolations literally", () => {
    const written = hcl({
      type: "firn_topic",
      name: "Orders (EU)",
      attributes: {
        cluster: expression("firn_cluster.main.id"),
        name: "orders-${x}",
        partitions: 6,
        absent: undefined,
        configs: { "retention.ms": "1000" },
      },
    });
    expect(written).toBe(
      [
        'resource "firn_topic" "orders_eu" {',
        "  cluster    = firn_cluster.main.id",
        '  name       = "orders-$${x}"',
        "  partitions = 6",
        "  configs = {",
        '    "retention.ms" = "1000"',
        "  }",
        "}",
      ].join("\n"),
    );
  });

  // biome-ignore-end lint/suspicious/noTemplateCurlyInString: they are what is tested

  it("makes labels of any text", () => {
    expect(label("9 lives")).toBe("_9_lives");
    expect(label("日本")).toBe("this");
  });

  it("says of what goes that it is destroyed, not only forgotten", () => {
    expect(removed({ type: "firn_topic", name: "Orders (EU)" })).toBe(
      "removed {\n  from = firn_topic.orders_eu\n\n  lifecycle {\n    destroy = true\n  }\n}",
    );
  });
});
