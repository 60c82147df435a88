import { authorityLines, type Connection, caFile, greeting, type Snippet } from "./settings";

const text = (value: string) => JSON.stringify(value);

function program(to: Connection, imports: string[], options: string[], body: string[]): string {
  const all = ['"context"', '"crypto/tls"', '"fmt"', ...(to.authority ? ['"crypto/x509"', '"os"'] : []), ...imports];
  const modules = ['"github.com/twmb/franz-go/pkg/kgo"', '"github.com/twmb/franz-go/pkg/sasl/scram"'];
  return [
    "package main",
    "",
    "import (",
    ...[...new Set(all)].sort().map((name) => `\t${name}`),
    "",
    ...modules.map((name) => `\t${name}`),
    ")",
    "",
    "func check(err error) {",
    "\tif err != nil {",
    "\t\tpanic(err)",
    "\t}",
    "}",
    "",
    "func main() {",
    "\tconfig := &tls.Config{}",
    ...(to.authority
      ? [
          `\tpem, err := os.ReadFile(${text(caFile)})`,
          "\tcheck(err)",
          "\tconfig.RootCAs = x509.NewCertPool()",
          "\tconfig.RootCAs.AppendCertsFromPEM(pem)",
        ]
      : []),
    "\tclient, err := kgo.NewClient(",
    `\t\tkgo.SeedBrokers(${text(to.bootstrap)}),`,
    "\t\tkgo.DialTLSConfig(config),",
    `\t\tkgo.SASL(scram.Auth{User: ${text(to.username)}, Pass: ${text(to.password)}}.AsSha512Mechanism()),`,
    ...options.map((option) => `\t\t${option},`),
    "\t)",
    "\tcheck(err)",
    "\tdefer client.Close()",
    ...body.map((line) => (line ? `\t${line}` : "")),
    "}",
  ].join("\n");
}

export function go(to: Connection): Snippet {
  const produce = program(
    to,
    [],
    [],
    [
      `record := &kgo.Record{Topic: ${text(to.topic)}, Value: []byte(${text(greeting)})}`,
      "stored, err := client.ProduceSync(context.Background(), record).First()",
      "check(err)",
      'fmt.Println("stored at offset", stored.Offset)',
    ],
  );
  const consume = program(
    to,
    [],
    [
      'kgo.ConsumerGroup("go-readers")',
      `kgo.ConsumeTopics(${text(to.topic)})`,
      "kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())",
    ],
    [
      "for {",
      "\tfetches := client.PollFetches(context.Background())",
      "\tcheck(fetches.Err())",
      "\tfetches.EachRecord(func(record *kgo.Record) {",
      "\t\tfmt.Println(record.Offset, string(record.Value))",
      "\t})",
      "}",
    ],
  );
  const setup = [
    "go mod init first",
    "go get github.com/twmb/franz-go/pkg/kgo github.com/twmb/franz-go/pkg/sasl/scram",
    ...authorityLines(to),
  ];
  return {
    id: "go",
    name: "Go",
    setup: [{ title: "Install the client", code: setup.join("\n") }],
    produce: [
      { title: "Send a message", file: "produce/main.go", code: produce },
      { title: "Run it", code: "go run ./produce" },
    ],
    consume: [
      { title: "Read messages as they come", file: "consume/main.go", code: consume },
      { title: "Run it; Ctrl-C ends it", code: "go run ./consume" },
    ],
  };
}
