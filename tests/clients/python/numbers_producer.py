"""Numbered records through crashes: an idempotent librdkafka producer that never gives up."""

import os
import sys
import threading

from confluent_kafka import Producer

import security


def produce_numbers(bootstrap, topic, partitions):
    """Sends PARTITION:NUMBER:PADDING to each partition in turn until standard input ends, then waits for every
    answer. Prints "PARTITION NUMBER OFFSET" for each acknowledgement."""
    failures = []
    ended = threading.Event()
    threading.Thread(target=lambda: (drain(sys.stdin.fileno()), ended.set()), daemon=True).start()
    producer = Producer(security.confluent() | {
        "bootstrap.servers": bootstrap,
        "enable.idempotence": True,
        "message.timeout.ms": 0,
        "request.timeout.ms": 5000,
        "linger.ms": 2,
        "reconnect.backoff.ms": 20,
        "reconnect.backoff.max.ms": 200,
        "retry.backoff.ms": 50,
        "queue.buffering.max.messages": 2000,
    })

    def acknowledge(number):
        def answered(error, message):
            if error is not None:
                failures.append(f"partition {message.partition()} number {number}: {error}")
            else:
                print(f"{message.partition()}\t{number}\t{message.offset()}")
        return answered

    number = 0
    while not ended.is_set():
        for partition in range(partitions):
            send(producer, topic, partition, number, acknowledge(number))
        number += 1
        producer.poll(0.003 if number % 10 == 0 else 0)
    left = producer.flush(60)
    if left or failures:
        raise SystemExit(f"{left} records without an answer, {len(failures)} failures: {failures[:3]}")


def send(producer, topic, partition, number, on_delivery):
    while True:
        try:
            producer.produce(topic, partition=partition, value=numbered(partition, number), on_delivery=on_delivery)
            return
        except BufferError:
            producer.poll(0.05)


def numbered(partition, number):
    """The value of the record of this number: anyone can compute it again, so any changed byte shows."""
    return f"{partition}:{number}:{f'{number * 2654435761 % 2**32:08x}' * (number % 97)}"


def drain(descriptor):
    while os.read(descriptor, 4096):
        pass
