import { authorityLines, type Connection, caFile, greeting, type Snippet } from "./settings";

/** JSON's texts are Python's, too, of what stands in settings. */
const text = (value: string) => JSON.stringify(value);

function settings(to: Connection): string[] {
  return [
    `    "bootstrap.servers": ${text(to.bootstrap)},`,
    '    "security.protocol": "SASL_SSL",',
    '    "sasl.mechanism": "SCRAM-SHA-512",',
    `    "sasl.username": ${text(to.username)},`,
    `    "sasl.password": ${text(to.password)},`,
    ...(to.authority ? [`    "ssl.ca.location": ${text(caFile)},`] : []),
  ];
}

/** In an environment of its own: systems keep theirs to themselves, and may know `python` only in there. */
const install = ["python3 -m venv first && . first/bin/activate", "pip install confluent-kafka"];

export function python(to: Connection): Snippet {
  const produce = [
    "from confluent_kafka import Producer",
    "",
    "",
    "def answered(error, message):",
    '    print(error or f"stored at offset {message.offset()}")',
    "",
    "",
    "producer = Producer({",
    ...settings(to),
    "})",
    `producer.produce(${text(to.topic)}, value=${text(greeting)}, on_delivery=answered)`,
    "producer.flush(30)",
  ];
  const consume = [
    "from confluent_kafka import Consumer",
    "",
    "consumer = Consumer({",
    ...settings(to),
    '    "group.id": "python-readers",',
    '    "auto.offset.reset": "earliest",',
    "})",
    `consumer.subscribe([${text(to.topic)}])`,
    "try:",
    "    while True:",
    "        message = consumer.poll(1)",
    "        if message is None:",
    "            continue",
    "        if message.error():",
    "            raise SystemExit(message.error())",
    "        print(message.offset(), message.value().decode(), flush=True)",
    "except KeyboardInterrupt:",
    "    consumer.close()",
  ];
  return {
    id: "python",
    name: "Python",
    setup: [{ title: "Install the client", code: [...install, ...authorityLines(to)].join("\n") }],
    produce: [
      { title: "Send a message", file: "produce.py", code: produce.join("\n") },
      { title: "Run it", code: "python produce.py" },
    ],
    consume: [
      { title: "Read messages as they come", file: "consume.py", code: consume.join("\n") },
      { title: "Run it; Ctrl-C ends it", code: "python consume.py" },
    ],
  };
}
