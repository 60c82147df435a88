"""Members of consumer groups. Each prints what it is given, what it reads and what it has committed, until its
standard input ends: the lines of tests/clients/README.md."""

import asyncio
import os
import sys
import threading

import security

SESSION_MS = 6000
HEARTBEAT_MS = 500
POLL_MS = 100
MOST_RECORDS = 500


class Journal:
    """The lines of one member: what it has, and what it has read and not yet committed."""

    def __init__(self):
        sys.stdout.reconfigure(line_buffering=True)
        self.owned = set()
        self.pending = {}

    def assigned(self, partitions):
        self.owned.update(partitions)
        say("assigned", partitions)

    def revoked(self, partitions):
        self._give_up("revoked", partitions)

    def lost(self, partitions):
        self._give_up("lost", partitions)

    def record(self, partition, offset, value):
        print(f"record {partition} {offset} {value.decode()}")
        self.pending[partition] = offset + 1

    def committed(self, offsets):
        for partition, offset in offsets.items():
            print(f"committed {partition} {offset}")
            if self.pending.get(partition) == offset:
                del self.pending[partition]

    def _give_up(self, word, partitions):
        """A join that is tried again revokes again, in some libraries, what the first one revoked."""
        given = self.owned.intersection(partitions)
        if given:
            say(word, given)
        self.owned -= given
        for partition in given:
            self.pending.pop(partition, None)


def say(word, partitions):
    print(f"{word} {','.join(map(str, sorted(partitions)))}")


def until_standard_input_ends():
    """An event that is set once standard input has ended."""
    ended = threading.Event()

    def wait():
        while os.read(sys.stdin.fileno(), 4096):
            pass
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    return ended


def complain(error):
    print(error, file=sys.stderr, flush=True)


def numbers(partitions):
    return [partition.partition for partition in partitions]


def confluent_member(bootstrap, topic, group, assignor, instance):
    from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

    journal, ended = Journal(), until_standard_input_ends()
    config = security.confluent() | {
        "bootstrap.servers": bootstrap,
        "group.id": group,
        "group.protocol": "classic",
        "partition.assignment.strategy": assignor,
        "session.timeout.ms": SESSION_MS,
        "heartbeat.interval.ms": HEARTBEAT_MS,
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "fetch.wait.max.ms": POLL_MS,
        "reconnect.backoff.max.ms": 500,
    }
    if instance is not None:
        config["group.instance.id"] = instance
    consumer = Consumer(config)

    def read():
        message, count = consumer.poll(POLL_MS / 1000), 0
        while message is not None:
            error = message.error()
            if error is None:
                journal.record(message.partition(), message.offset(), message.value())
            elif error.fatal() or error.code() == KafkaError._AUTO_OFFSET_RESET:
                raise SystemExit(f"poll: {error}")
            else:
                complain(error)
            count += 1
            message = consumer.poll(0) if count < MOST_RECORDS else None

    def commit():
        offsets = [TopicPartition(topic, partition, offset) for partition, offset in journal.pending.items()]
        try:
            answers = consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            complain(error)
        else:
            journal.committed({each.partition: each.offset for each in answers if each.error is None})

    consumer.subscribe([topic], on_assign=lambda _, partitions: journal.assigned(numbers(partitions)),
                       on_revoke=lambda _, partitions: journal.revoked(numbers(partitions)),
                       on_lost=lambda _, partitions: journal.lost(numbers(partitions)))
    while not ended.is_set():
        read()
        if journal.pending:
            commit()
    consumer.close()


def kafka_python_member(bootstrap, topic, group, assignor, instance):
    from kafka import ConsumerRebalanceListener, KafkaConsumer, OffsetAndMetadata, TopicPartition
    from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
    from kafka.coordinator.assignors.range import RangePartitionAssignor
    from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
    from kafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
    from kafka.errors import KafkaError

    journal, ended = Journal(), until_standard_input_ends()
    assignors = [RangePartitionAssignor, RoundRobinPartitionAssignor, StickyPartitionAssignor,
                 CooperativeStickyAssignor]
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, group_id=group, group_instance_id=instance,
                             **security.kafka_python(),
                             partition_assignment_strategy=[each for each in assignors if each.name == assignor],
                             session_timeout_ms=SESSION_MS, heartbeat_interval_ms=HEARTBEAT_MS,
                             auto_offset_reset="earliest", enable_auto_commit=False, fetch_max_wait_ms=POLL_MS,
                             max_poll_records=MOST_RECORDS, reconnect_backoff_max_ms=500)

    class Listener(ConsumerRebalanceListener):
        def on_partitions_assigned(self, assigned):
            journal.assigned(numbers(assigned))

        def on_partitions_revoked(self, revoked):
            journal.revoked(numbers(revoked))

        def on_partitions_lost(self, lost):
            journal.lost(numbers(lost))

    def commit():
        offsets = dict(journal.pending)
        try:
            consumer.commit({TopicPartition(topic, partition): OffsetAndMetadata(offset)
                             for partition, offset in offsets.items()})
        except KafkaError as error:
            complain(repr(error))
        else:
            journal.committed(offsets)

    consumer.subscribe([topic], listener=Listener())
    while not ended.is_set():
        for messages in consumer.poll(timeout_ms=POLL_MS).values():
            for message in messages:
                journal.record(message.partition, message.offset, message.value)
        if journal.pending:
            commit()
    consumer.close()


async def aiokafka_member(bootstrap, topic, group, assignor, instance):
    from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
    from aiokafka.coordinator.assignors.range import RangePartitionAssignor
    from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
    from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
    from aiokafka.errors import KafkaError

    journal, ended = Journal(), until_standard_input_ends()
    assignors = [RangePartitionAssignor, RoundRobinPartitionAssignor, StickyPartitionAssignor]
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=group, group_instance_id=instance,
                                **security.aiokafka(),
                                partition_assignment_strategy=[each for each in assignors if each.name == assignor],
                                session_timeout_ms=SESSION_MS, heartbeat_interval_ms=HEARTBEAT_MS,
                                auto_offset_reset="earliest", enable_auto_commit=False, fetch_max_wait_ms=POLL_MS)
    # The library joins in a task of its own: it may take partitions away only once what was read is committed.
    busy = asyncio.Lock()

    class Listener(ConsumerRebalanceListener):
        async def on_partitions_revoked(self, revoked):
            async with busy:
                journal.revoked(numbers(revoked))

        async def on_partitions_assigned(self, assigned):
            journal.assigned(numbers(assigned))

    async def commit():
        offsets = dict(journal.pending)
        try:
            await consumer.commit({TopicPartition(topic, partition): offset for partition, offset in offsets.items()})
        except KafkaError as error:
            complain(repr(error))
        else:
            journal.committed(offsets)

    await consumer.start()
    consumer.subscribe([topic], listener=Listener())
    while not ended.is_set():
        batches = await consumer.getmany(timeout_ms=POLL_MS, max_records=MOST_RECORDS)
        async with busy:
            for messages in batches.values():
                for message in messages:
                    journal.record(message.partition, message.offset, message.value)
            if journal.pending:
                await commit()
    await consumer.stop()
