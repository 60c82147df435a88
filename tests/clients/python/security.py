"""How the clients connect: what the FIRN_TEST_* variables say (tests/clients/README.md)."""

import os
import ssl
import time

PROTOCOL = os.environ.get("FIRN_TEST_SECURITY", "plaintext").upper()
MECHANISM = os.environ.get("FIRN_TEST_MECHANISM")
USERNAME = os.environ.get("FIRN_TEST_USERNAME")
PASSWORD = os.environ.get("FIRN_TEST_PASSWORD")
CA_FILE = os.environ.get("FIRN_TEST_CA_FILE")
KEYSTORE = os.environ.get("FIRN_TEST_KEYSTORE")
TOKEN_URL = os.environ.get("FIRN_TEST_TOKEN_URL")


def confluent():
    """For librdkafka."""
    if MECHANISM == "OAUTHBEARER":
        return present({
            "security.protocol": PROTOCOL,
            "sasl.mechanism": MECHANISM,
            "ssl.ca.location": CA_FILE,
        }) | tokens()
    return present({
        "security.protocol": PROTOCOL,
        "sasl.mechanism": MECHANISM,
        "sasl.username": USERNAME,
        "sasl.password": PASSWORD,
        "ssl.ca.location": CA_FILE,
        "ssl.certificate.location": KEYSTORE,
        "ssl.key.location": KEYSTORE,
    })


def tokens():
    """Where librdkafka's tokens come from: an identity provider, which it asks itself, or a file."""
    if TOKEN_URL.startswith("file:"):
        with open(TOKEN_URL.removeprefix("file://"), encoding="ascii") as file:
            token = file.read()
        return {"oauth_cb": lambda _config: (token, time.time() + 300)}
    return {
        "sasl.oauthbearer.method": "oidc",
        "sasl.oauthbearer.client.id": USERNAME,
        "sasl.oauthbearer.client.secret": PASSWORD,
        "sasl.oauthbearer.token.endpoint.url": TOKEN_URL,
    }


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
