"""How the clients connect: what the FIRN_TEST_* variables say (tests/clients/README.md)."""

import os
import ssl

PROTOCOL = os.environ.get("FIRN_TEST_SECURITY", "plaintext").upper()
MECHANISM = os.environ.get("FIRN_TEST_MECHANISM")
USERNAME = os.environ.get("FIRN_TEST_USERNAME")
PASSWORD = os.environ.get("FIRN_TEST_PASSWORD")
CA_FILE = os.environ.get("FIRN_TEST_CA_FILE")


def confluent():
    """For librdkafka."""
    return present({
        "security.protocol": PROTOCOL,
        "sasl.mechanism": MECHANISM,
        "sasl.username": USERNAME,
        "sasl.password": PASSWORD,
        "ssl.ca.location": CA_FILE,
    })


def kafka_python():
    """For kafka-python."""
    return present({
        "security_protocol": PROTOCOL,
        "sasl_mechanism": MECHANISM,
        "sasl_plain_username": USERNAME,
        "sasl_plain_password": PASSWORD,
        "ssl_cafile": CA_FILE,
    })


def aiokafka():
    """For aiokafka."""
    return present({
        "security_protocol": PROTOCOL,
        "sasl_mechanism": MECHANISM,
        "sasl_plain_username": USERNAME,
        "sasl_plain_password": PASSWORD,
        "ssl_context": ssl.create_default_context(cafile=CA_FILE) if CA_FILE else None,
    })


def present(settings):
    return {name: value for name, value in settings.items() if value is not None}
