"""How fast librdkafka gets on, in bytes of values a second.

usage: rates.py fill BOOTSTRAP TOPIC RECORDS SIZE
       rates.py produce BOOTSTRAP TOPIC CLIENT-ID SECONDS SIZE [PARTITION]
       rates.py consume BOOTSTRAP TOPIC CLIENT-ID SECONDS GROUP

What is saved up of a quota is used up before the measurement begins. Any error that the client tells ends it with status 1. A
consumer also prints how often it was given partitions: more than once means that it has lost them.
"""

import sys
import time

from confluent_kafka import Consumer, Producer

import security

WARM_UP = 5


def fail(error):
    sys.exit(f"error: {error}")


def client(bootstrap, client_id, more):
    return security.confluent() | {"bootstrap.servers": bootstrap, "client.id": client_id, "error_cb": fail} | more


def produce(bootstrap, topic, client_id, seconds, size, partition=-1):
    begin = time.monotonic() + WARM_UP
    end = begin + seconds
    sent = 0

    def answered(error, message):
        nonlocal sent
        if error is not None:
            fail(error)
        if begin <= time.monotonic() < end:
            sent += len(message)

    producer = Producer(client(bootstrap, client_id, {
        "batch.size": 32768, "linger.ms": 5, "queue.buffering.max.kbytes": 2048, "message.timeout.ms": 60000,
        "enable.idempotence": True,
    }))
    value = b"x" * size
    while time.monotonic() < end:
        try:
            producer.produce(topic, value, partition=partition, on_delivery=answered)
            producer.poll(0)
        except BufferError:
            producer.poll(0.01)
    if producer.flush(60):
        fail("records without an answer")
    print(sent / seconds)


def consume(bootstrap, topic, client_id, seconds, group):
    given = []
    consumer = Consumer(client(bootstrap, client_id, {
        "group.id": group, "auto.offset.reset": "earliest", "session.timeout.ms": 6000, "heartbeat.interval.ms": 1000,
        "fetch.queue.backoff.ms": 10,
    }))
    consumer.subscribe([topic], on_assign=lambda _, partitions: given.append(len(partitions)))
    begin, received = None, 0
    while begin is None or time.monotonic() < begin + seconds:
        message = consumer.poll(0.1)
        if message is None:
            continue
        if message.error() is not None:
            fail(message.error())
        now = time.monotonic()
        begin = begin or now + WARM_UP
        if begin <= now < begin + seconds:
            received += len(message)
    consumer.close()
    print(received / seconds, len(given))


def fill(bootstrap, topic, records, size):
    producer = Producer(client(bootstrap, "fill", {"batch.size": 32768, "linger.ms": 5}))
    for _ in range(records):
        while True:
            try:
                producer.produce(topic, b"x" * size)
                break
            except BufferError:
                producer.poll(0.1)
    if producer.flush(60):
        fail("records without an answer")


match sys.argv[1:]:
    case ["fill", bootstrap, topic, records, size]:
        fill(bootstrap, topic, int(records), int(size))
    case ["produce", bootstrap, topic, client_id, seconds, size, *partition]:
        produce(bootstrap, topic, client_id, float(seconds), int(size), *map(int, partition))
    case ["consume", bootstrap, topic, client_id, seconds, group]:
        consume(bootstrap, topic, client_id, float(seconds), group)
    case _:
        sys.exit(__doc__)
