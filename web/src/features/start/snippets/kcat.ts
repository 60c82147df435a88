import { authorityLines, type Connection, caFile, greeting, type Snippet } from "./settings";

export function kcat(to: Connection): Snippet {
  const settings = [
    `bootstrap.servers=${to.bootstrap}`,
    "security.protocol=SASL_SSL",
    "sasl.mechanisms=SCRAM-SHA-512",
    `sasl.username=${to.username}`,
    `sasl.password=${to.password}`,
    ...(to.authority ? [`ssl.ca.location=${caFile}`] : []),
  ];
  return {
    id: "kcat",
    name: "kcat",
    setup: [
      {
        title: "Save how to connect",
        code: [...authorityLines(to), "cat > firn.conf <<'END'", ...settings, "END"].join("\n"),
      },
    ],
    produce: [{ title: "Send a message", code: `echo '${greeting}' | kcat -F firn.conf -P -t ${to.topic}` }],
    consume: [{ title: "Read all messages", code: `kcat -F firn.conf -C -t ${to.topic} -o beginning -e` }],
  };
}
