import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Apache Kafka's own client in the tests. tests/clients/README.md describes the lines. */
public final class Client {
    private static final HexFormat HEX = HexFormat.of();

    private Client() {}

    /**
     * Arguments: produce BOOTSTRAP TOPIC CODEC | consume BOOTSTRAP TOPIC COUNT | text BOOTSTRAP TOPIC COUNT |
     * group BOOTSTRAP TOPIC GROUP ASSIGNOR [INSTANCE].
     */
    public static void main(String[] args) throws Exception {
        switch (args[0]) {
            case "produce" -> produce(args[1], args[2], args[3]);
            case "consume" -> consume(args[1], args[2], Long.parseLong(args[3]), Client::writeLine);
            case "text" -> consume(args[1], args[2], Long.parseLong(args[3]), Client::writeText);
            case "group" -> Group.join(List.of(args).subList(1, args.length));
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    private interface Form {
        void write(OutputStream out, ConsumerRecord<byte[], byte[]> record) throws IOException;
    }

    private static void produce(String bootstrap, String topic, String codec) throws Exception {
        Map<String, Object> config = Security.with(Map.of(
            "bootstrap.servers", bootstrap, "enable.idempotence", true, "compression.type", codec, "linger.ms", 5));
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        List<Future<?>> answers = new ArrayList<>();
        try (var producer = new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                answers.add(producer.send(parse(topic, line)));
            }
            producer.flush();
            for (Future<?> answer : answers) {
                answer.get();
            }
        }
    }

    /** Reads every partition from its start by assignment until it has {@code count} records. */
    private static void consume(String bootstrap, String topic, long count, Form form) throws IOException {
        Map<String, Object> config =
            Security.with(Map.of("bootstrap.servers", bootstrap, "max.poll.records", 10000));
        var out = new BufferedOutputStream(System.out, 1 << 20);
        try (var consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
                .map(info -> new TopicPartition(topic, info.partition())).toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            for (long seen = 0; seen < count;) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
                    form.write(out, record);
                    seen++;
                }
            }
        }
        out.flush();
    }

    private static ProducerRecord<byte[], byte[]> parse(String topic, String line) {
        String[] fields = line.split("\t", -1);
        List<Header> headers = new ArrayList<>();
        if (!fields[4].isEmpty()) {
            for (String header : fields[4].split(",")) {
                int colon = header.indexOf(':');
                headers.add(new RecordHeader(header.substring(0, colon), unhex(header.substring(colon + 1))));
            }
        }
        return new ProducerRecord<>(topic, Integer.valueOf(fields[0]), Long.valueOf(fields[1]), unhex(fields[2]),
            unhex(fields[3]), headers);
    }

    private static void writeLine(OutputStream out, ConsumerRecord<byte[], byte[]> record) throws IOException {
        List<String> headers = new ArrayList<>();
        for (Header header : record.headers()) {
            headers.add(header.key() + ":" + tohex(header.value()));
        }
        String line = record.partition() + "\t" + record.offset() + "\t" + record.timestamp() + "\t"
            + tohex(record.key()) + "\t" + tohex(record.value()) + "\t" + String.join(",", headers) + "\n";
        out.write(line.getBytes(StandardCharsets.US_ASCII));
    }

    /** PARTITION, KEY, VALUE as they are. */
    private static void writeText(OutputStream out, ConsumerRecord<byte[], byte[]> record) throws IOException {
        out.write((record.partition() + "\t").getBytes(StandardCharsets.US_ASCII));
        out.write(record.key());
        out.write('\t');
        out.write(record.value());
        out.write('\n');
    }

    private static byte[] unhex(String text) {
        return text.equals("-") ? null : HEX.parseHex(text);
    }

    private static String tohex(byte[] content) {
        return content == null ? "-" : HEX.formatHex(content);
    }
}
