"""Record lines, the form in which the tests exchange records with the client programs."""

from dataclasses import dataclass


@dataclass
class Record:
    """One record to produce."""

    partition: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]


def parse(line):
    """The record of PARTITION, TIMESTAMP, KEY, VALUE, HEADERS."""
    partition, timestamp, key, value, headers = line.rstrip("\n").split("\t")
    pairs = [header.partition(":") for header in headers.split(",")] if headers else []
    return Record(int(partition), int(timestamp), unhex(key), unhex(value),
                  [(name, unhex(content)) for name, _, content in pairs])


def show(partition, offset, timestamp, key, value, headers):
    """The line PARTITION, OFFSET, TIMESTAMP, KEY, VALUE, HEADERS."""
    pairs = ",".join(f"{name}:{tohex(content)}" for name, content in headers or [])
    return f"{partition}\t{offset}\t{timestamp}\t{tohex(key)}\t{tohex(value)}\t{pairs}"


def unhex(text):
    return None if text == "-" else bytes.fromhex(text)


def tohex(content):
    return "-" if content is None else content.hex()
