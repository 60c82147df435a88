"""The Python clients of the tests: librdkafka (confluent-kafka), kafka-python and aiokafka.

usage: client.py LIBRARY produce BOOTSTRAP TOPIC CODEC < LINES
       client.py LIBRARY consume BOOTSTRAP TOPIC COUNT > LINES
       client.py confluent numbers BOOTSTRAP TOPIC PARTITIONS > ACKNOWLEDGED   (until standard input ends)
       client.py LIBRARY group BOOTSTRAP TOPIC GROUP ASSIGNOR [INSTANCE]       (until standard input ends)
tests/clients/README.md describes the lines.
"""

import asyncio
import sys

import security
from lines import parse, show


def confluent_produce(bootstrap, topic, codec):
    from confluent_kafka import Producer

    failures = []
    producer = Producer(security.confluent() | {
        "bootstrap.servers": bootstrap,
        "enable.idempotence": True,
        "compression.type": codec,
        "linger.ms": 5,
    })

    def answered(error, _message):
        if error is not None:
            failures.append(error)

    for record in map(parse, sys.stdin):
        producer.produce(topic, partition=record.partition, key=record.key, value=record.value,
                         headers=record.headers, timestamp=record.timestamp, on_delivery=answered)
        producer.poll(0)
    left = producer.flush(60)
    if left or failures:
        raise SystemExit(f"{left} records without an answer, failures: {failures[:3]}")


def confluent_consume(bootstrap, topic, count):
    from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

    consumer = Consumer(security.confluent() | {
        "bootstrap.servers": bootstrap,
        "group.id": "unused",
        "enable.auto.commit": False,
    })
    partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in partitions])
    while count > 0:
        for message in consumer.consume(min(count, 10000), timeout=1):
            if message.error() is not None:
                raise SystemExit(f"consume: {message.error()}")
            print(show(message.partition(), message.offset(), message.timestamp()[1], message.key(),
                       message.value(), message.headers()))
            count -= 1
    consumer.close()


def kafka_python_produce(bootstrap, topic, codec):
    from kafka import KafkaProducer

    producer = KafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, linger_ms=5,
                             compression_type=None if codec == "none" else codec, **security.kafka_python())
    answers = []
    for record in map(parse, sys.stdin):
        answers.append(producer.send(topic, partition=record.partition, key=record.key, value=record.value,
                                     headers=record.headers, timestamp_ms=record.timestamp))
    producer.flush(60)
    for answer in answers:
        answer.get(timeout=60)
    producer.close()


def kafka_python_consume(bootstrap, topic, count):
    from kafka import KafkaConsumer, TopicPartition

    consumer = KafkaConsumer(bootstrap_servers=bootstrap, group_id=None, **security.kafka_python())
    partitions = [TopicPartition(topic, partition) for partition in consumer.partitions_for_topic(topic)]
    consumer.assign(partitions)
    consumer.seek_to_beginning(*partitions)
    while count > 0:
        for messages in consumer.poll(timeout_ms=1000).values():
            for message in messages:
                print(show(message.partition, message.offset, message.timestamp, message.key, message.value,
                           message.headers))
                count -= 1
    consumer.close()


async def aiokafka_produce(bootstrap, topic, codec):
    from aiokafka import AIOKafkaProducer

    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, linger_ms=5,
                                compression_type=None if codec == "none" else codec, **security.aiokafka())
    await producer.start()
    try:
        answers = []
        for record in map(parse, sys.stdin):
            answers.append(await producer.send(topic, partition=record.partition, key=record.key,
                                               value=record.value, headers=record.headers,
                                               timestamp_ms=record.timestamp))
        await producer.flush()
        await asyncio.gather(*answers)
    finally:
        await producer.stop()


async def aiokafka_consume(bootstrap, topic, count):
    from aiokafka import AIOKafkaConsumer, TopicPartition

    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, group_id=None, auto_offset_reset="earliest",
                                **security.aiokafka())
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, partition) for partition in consumer.partitions_for_topic(topic)]
        consumer.unsubscribe()
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        while count > 0:
            for messages in (await consumer.getmany(timeout_ms=1000)).values():
                for message in messages:
                    print(show(message.partition, message.offset, message.timestamp, message.key, message.value,
                               message.headers))
                    count -= 1
    finally:
        await consumer.stop()


def join_group(library, bootstrap, topic, group, assignor, instance=None):
    from group import aiokafka_member, confluent_member, kafka_python_member

    match library:
        case "confluent":
            confluent_member(bootstrap, topic, group, assignor, instance)
        case "kafka-python":
            kafka_python_member(bootstrap, topic, group, assignor, instance)
        case "aiokafka":
            asyncio.run(aiokafka_member(bootstrap, topic, group, assignor, instance))
        case _:
            raise SystemExit(__doc__)


def main():
    library, command, bootstrap, topic, last = sys.argv[1:6]
    match (library, command):
        case (_, "group"):
            join_group(library, bootstrap, topic, last, *sys.argv[6:])
        case ("confluent", "produce"):
            confluent_produce(bootstrap, topic, last)
        case ("confluent", "consume"):
            confluent_consume(bootstrap, topic, int(last))
        case ("confluent", "numbers"):
            from numbers_producer import produce_numbers

            produce_numbers(bootstrap, topic, int(last))
        case ("kafka-python", "produce"):
            kafka_python_produce(bootstrap, topic, last)
        case ("kafka-python", "consume"):
            kafka_python_consume(bootstrap, topic, int(last))
        case ("aiokafka", "produce"):
            asyncio.run(aiokafka_produce(bootstrap, topic, last))
        case ("aiokafka", "consume"):
            asyncio.run(aiokafka_consume(bootstrap, topic, int(last)))
        case _:
            raise SystemExit(__doc__)


main()
