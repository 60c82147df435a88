import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * A member of a consumer group. It prints what it is given, what it reads and what it has committed, until standard
 * input ends.
 */
final class Group implements ConsumerRebalanceListener {
    private static final String PACKAGE = "org.apache.kafka.clients.consumer.";
    private static final Map<String, String> ASSIGNORS = Map.of(
        "range", PACKAGE + "RangeAssignor",
        "roundrobin", PACKAGE + "RoundRobinAssignor",
        "sticky", PACKAGE + "StickyAssignor",
        "cooperative-sticky", PACKAGE + "CooperativeStickyAssignor");

    /** What it has read and not yet committed. */
    private final Map<TopicPartition, OffsetAndMetadata> pending = new HashMap<>();

    private static volatile boolean ended;

    /** Arguments: BOOTSTRAP TOPIC GROUP ASSIGNOR [INSTANCE]. */
    static void join(List<String> args) {
        Map<String, Object> config = Security.with(Map.of(
            "bootstrap.servers", args.get(0),
            "group.id", args.get(2),
            "group.protocol", "classic",
            "partition.assignment.strategy", ASSIGNORS.get(args.get(3)),
            "session.timeout.ms", 6000,
            "heartbeat.interval.ms", 500,
            "auto.offset.reset", "earliest",
            "enable.auto.commit", false,
            "fetch.max.wait.ms", 100,
            "reconnect.backoff.max.ms", 500));
        if (args.size() > 4) {
            config.put("group.instance.id", args.get(4));
        }
        var waiting = new Thread(Group::awaitEndOfInput);
        waiting.setDaemon(true);
        waiting.start();
        var member = new Group();
        try (var consumer = new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
            consumer.subscribe(List.of(args.get(1)), member);
            while (!ended) {
                member.poll(consumer);
            }
        }
    }

    private static void awaitEndOfInput() {
        try {
            while (System.in.read() >= 0) {}
        } catch (IOException gone) {
            System.err.println(gone);
        }
        ended = true;
    }

    private void poll(KafkaConsumer<String, String> consumer) {
        var records = consumer.poll(Duration.ofMillis(100));
        for (ConsumerRecord<String, String> record : records) {
            say("record " + record.partition() + " " + record.offset() + " " + record.value());
        }
        pending.putAll(records.nextOffsets());
        if (pending.isEmpty()) {
            return;
        }
        try {
            consumer.commitSync(pending);
        } catch (CommitFailedException | RebalanceInProgressException | RetriableException refused) {
            System.err.println("commit: " + refused);
            return;
        }
        pending.forEach((partition, next) -> say("committed " + partition.partition() + " " + next.offset()));
        pending.clear();
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
        say("assigned " + numbers(partitions));
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
        say("revoked " + numbers(partitions));
        pending.keySet().removeAll(partitions);
    }

    @Override
    public void onPartitionsLost(Collection<TopicPartition> partitions) {
        say("lost " + numbers(partitions));
        pending.keySet().removeAll(partitions);
    }

    private static String numbers(Collection<TopicPartition> partitions) {
        return partitions.stream().map(TopicPartition::partition).sorted().map(String::valueOf)
            .collect(Collectors.joining(","));
    }

    private static void say(String line) {
        System.out.print(line + "\n");
        System.out.flush();
    }
}
