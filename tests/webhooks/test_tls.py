"""The certificate is checked against the name in the URL, though the connection goes to an address looked at before."""

import socket
import ssl
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from jointoit.webhooks import sending
from jointoit.webhooks.sending import Sender, Verdict

NAME = "hooks.example.org"


@pytest.fixture
def certificate(tmp_path):
    """Write a certificate that vouches for itself, with its key; returns the path."""

    def certificate(name):
        key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = (
            x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .sign(key, hashes.SHA256())
        )
        clear = serialization.NoEncryption()
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, clear)
        path = tmp_path / f"{name}.pem"
        path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
        return path

    return certificate


@pytest.fixture
def post(receiver, certificate, monkeypatch):
    """Post once to a receiver that shows the certificate of a name; returns the outcome and what it received."""

    def post(name, *, trusted):
        path = certificate(name)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        sink = receiver()
        sink.socket = context.wrap_socket(sink.socket, server_side=True)
        real = socket.getaddrinfo
        monkeypatch.setattr(
            socket, "getaddrinfo", lambda host, *args, **kw: real("127.0.0.1" if host == NAME else host, *args, **kw)
        )
        if trusted:
            monkeypatch.setenv("SSL_CERT_FILE", str(path))
        sending.ssl_context.cache_clear()
        try:
            with closing(Sender(f"https://{NAME}:{sink.server_port}/")) as sender:
                return sender.post(b"{}", {}), len(sink.received)
        finally:
            sending.ssl_context.cache_clear()

    return post


def test_a_certificate_for_the_name_that_somebody_vouches_for_is_good(post):
    outcome, received = post(NAME, trusted=True)

    assert (outcome.verdict, received) == (Verdict.SENT, 1)


@pytest.mark.parametrize(("name", "trusted"), [("elsewhere.example.org", True), (NAME, False)])
def test_any_other_certificate_receives_nothing(post, name, trusted):
    outcome, received = post(name, trusted=trusted)

    assert (outcome.verdict, outcome.status, received) == (Verdict.LATER, None, 0)
    assert outcome.answer.startswith("The certificate is not good: ")
