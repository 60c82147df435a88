import { authorityLines, type Connection, caFile, greeting, type Snippet } from "./settings";

const text = (value: string) => JSON.stringify(value);

function client(to: Connection): string[] {
  return [
    ...(to.authority ? ['import { readFileSync } from "node:fs";'] : []),
    'import { Kafka } from "kafkajs";',
    "",
    "const kafka = new Kafka({",
    `  brokers: [${text(to.bootstrap)}],`,
    to.authority ? `  ssl: { ca: [readFileSync(${text(caFile)}, "utf8")] },` : "  ssl: true,",
    "  sasl: {",
    '    mechanism: "scram-sha-512",',
    `    username: ${text(to.username)},`,
    `    password: ${text(to.password)},`,
    "  },",
    "});",
    "",
  ];
}

export function node(to: Connection): Snippet {
  const produce = [
    ...client(to),
    "const producer = kafka.producer();",
    "await producer.connect();",
    `const [stored] = await producer.send({ topic: ${text(to.topic)}, messages: [{ value: ${text(greeting)} }] });`,
    'console.log("stored at offset", stored.baseOffset);',
    "await producer.disconnect();",
  ];
  const consume = [
    ...client(to),
    'const consumer = kafka.consumer({ groupId: "node-readers" });',
    "await consumer.connect();",
    `await consumer.subscribe({ topics: [${text(to.topic)}], fromBeginning: true });`,
    "await consumer.run({",
    "  eachMessage: async ({ message }) => console.log(message.offset, message.value?.toString()),",
    "});",
  ];
  return {
    id: "node",
    name: "Node",
    setup: [{ title: "Install the client", code: ["npm install kafkajs", ...authorityLines(to)].join("\n") }],
    produce: [
      { title: "Send a message", file: "produce.mjs", code: produce.join("\n") },
      { title: "Run it", code: "node produce.mjs" },
    ],
    consume: [
      { title: "Read messages as they come", file: "consume.mjs", code: consume.join("\n") },
      { title: "Run it; Ctrl-C ends it", code: "node consume.mjs" },
    ],
  };
}
