import { authorityLines, type Connection, caFile, greeting, type Snippet } from "./settings";

const text = (value: string) => JSON.stringify(value);

function settings(to: Connection, indent: string): string[] {
  const pairs = [
    ["bootstrap.servers", to.bootstrap],
    ["security.protocol", "SASL_SSL"],
    ["sasl.mechanism", "SCRAM-SHA-512"],
    ["sasl.username", to.username],
    ["sasl.password", to.password],
    ...(to.authority ? [["ssl.ca.location", caFile]] : []),
  ];
  return pairs.map(([key, value]) => `${indent}.set(${text(key ?? "")}, ${text(value ?? "")})`);
}

export function rust(to: Connection): Snippet {
  const produce = [
    "use std::time::Duration;",
    "",
    "use rdkafka::ClientConfig;",
    "use rdkafka::producer::{FutureProducer, FutureRecord};",
    "",
    "#[tokio::main]",
    "async fn main() {",
    "    let producer: FutureProducer = ClientConfig::new()",
    ...settings(to, "        "),
    "        .create()",
    '        .expect("settings");',
    `    let record = FutureRecord::<(), _>::to(${text(to.topic)}).payload(${text(greeting)});`,
    "    match producer.send(record, Duration::from_secs(30)).await {",
    '        Ok(stored) => println!("stored at offset {}", stored.offset),',
    '        Err((error, _)) => eprintln!("{error}"),',
    "    }",
    "}",
  ];
  const consume = [
    "use rdkafka::consumer::{Consumer, StreamConsumer};",
    "use rdkafka::{ClientConfig, Message};",
    "",
    "#[tokio::main]",
    "async fn main() -> Result<(), rdkafka::error::KafkaError> {",
    "    let consumer: StreamConsumer = ClientConfig::new()",
    ...settings(to, "        "),
    '        .set("group.id", "rust-readers")',
    '        .set("auto.offset.reset", "earliest")',
    "        .create()?;",
    `    consumer.subscribe(&[${text(to.topic)}])?;`,
    "    loop {",
    "        let message = consumer.recv().await?;",
    "        let value = String::from_utf8_lossy(message.payload().unwrap_or_default());",
    '        println!("{} {value}", message.offset());',
    "    }",
    "}",
  ];
  const setup = [
    "cargo new first && cd first",
    "cargo add rdkafka --features ssl-vendored",
    "cargo add tokio --features macros,rt-multi-thread",
    ...authorityLines(to),
  ];
  return {
    id: "rust",
    name: "Rust",
    setup: [{ title: "Install the client", code: setup.join("\n") }],
    produce: [
      { title: "Send a message", file: "src/bin/produce.rs", code: produce.join("\n") },
      { title: "Run it", code: "cargo run --bin produce" },
    ],
    consume: [
      { title: "Read messages as they come", file: "src/bin/consume.rs", code: consume.join("\n") },
      { title: "Run it; Ctrl-C ends it", code: "cargo run --bin consume" },
    ],
  };
}
