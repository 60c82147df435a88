import { authorityLines, type Connection, caFile, greeting, type Snippet } from "./settings";

const text = (value: string) => JSON.stringify(value);

function settings(to: Connection): string[] {
  const login = `org.apache.kafka.common.security.scram.ScramLoginModule required username="${to.username}" password="${to.password}";`;
  return [
    "        var settings = new Properties();",
    `        settings.put("bootstrap.servers", ${text(to.bootstrap)});`,
    '        settings.put("security.protocol", "SASL_SSL");',
    '        settings.put("sasl.mechanism", "SCRAM-SHA-512");',
    '        settings.put("sasl.jaas.config",',
    `            ${text(login)});`,
    ...(to.authority
      ? [
          '        settings.put("ssl.truststore.type", "PEM");',
          `        settings.put("ssl.truststore.location", ${text(caFile)});`,
        ]
      : []),
  ];
}

const project = [
  "<project>",
  "  <modelVersion>4.0.0</modelVersion>",
  "  <groupId>first</groupId>",
  "  <artifactId>first</artifactId>",
  "  <version>1</version>",
  "  <dependencies>",
  "    <dependency>",
  "      <groupId>org.apache.kafka</groupId>",
  "      <artifactId>kafka-clients</artifactId>",
  "      <version>4.3.0</version>",
  "    </dependency>",
  "  </dependencies>",
  "</project>",
];

const run = (file: string) => `java -cp 'target/dependency/*' ${file}`;

export function java(to: Connection): Snippet {
  const produce = [
    "import java.util.Properties;",
    "import org.apache.kafka.clients.producer.KafkaProducer;",
    "import org.apache.kafka.clients.producer.ProducerRecord;",
    "import org.apache.kafka.common.serialization.StringSerializer;",
    "",
    "public class Produce {",
    "    public static void main(String[] args) throws Exception {",
    ...settings(to),
    "        var text = new StringSerializer();",
    "        try (var producer = new KafkaProducer<>(settings, text, text)) {",
    `            var record = new ProducerRecord<String, String>(${text(to.topic)}, ${text(greeting)});`,
    '            System.out.println("stored at offset " + producer.send(record).get().offset());',
    "        }",
    "    }",
    "}",
  ];
  const consume = [
    "import java.time.Duration;",
    "import java.util.List;",
    "import java.util.Properties;",
    "import org.apache.kafka.clients.consumer.KafkaConsumer;",
    "import org.apache.kafka.common.serialization.StringDeserializer;",
    "",
    "public class Consume {",
    "    public static void main(String[] args) {",
    ...settings(to),
    '        settings.put("group.id", "java-readers");',
    '        settings.put("auto.offset.reset", "earliest");',
    "        var text = new StringDeserializer();",
    "        try (var consumer = new KafkaConsumer<>(settings, text, text)) {",
    `            consumer.subscribe(List.of(${text(to.topic)}));`,
    "            while (true) {",
    "                for (var record : consumer.poll(Duration.ofSeconds(1))) {",
    '                    System.out.println(record.offset() + " " + record.value());',
    "                }",
    "            }",
    "        }",
    "    }",
    "}",
  ];
  return {
    id: "java",
    name: "Java",
    setup: [
      { title: "Name the client", file: "pom.xml", code: project.join("\n") },
      { title: "Fetch it", code: ["mvn -q dependency:copy-dependencies", ...authorityLines(to)].join("\n") },
    ],
    produce: [
      { title: "Send a message", file: "Produce.java", code: produce.join("\n") },
      { title: "Run it", code: run("Produce.java") },
    ],
    consume: [
      { title: "Read messages as they come", file: "Consume.java", code: consume.join("\n") },
      { title: "Run it; Ctrl-C ends it", code: run("Consume.java") },
    ],
  };
}
