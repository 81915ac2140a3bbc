"""Signatures by Standard Webhooks: HMAC-SHA256 over id, time and body, with a secret that only the receiver stores.

A secret is made of SECRET_KEY and a seed: a dump of the database signs nothing.
"""

import hmac
import secrets
from base64 import b64encode
from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from typing import Final

from django.conf import settings
from django.utils.crypto import salted_hmac

PREFIX: Final = "whsec_"


def new_seed() -> str:
    return secrets.token_hex(32)


@lru_cache(maxsize=10_000)
def key_of(seed: str, secret_key: str) -> bytes:
    return salted_hmac("jointoit.webhooks.signing", seed, secret=secret_key, algorithm="sha256").digest()


def secret_of(seed: str) -> str:
    """As the receiver gets it."""
    return PREFIX + b64encode(key_of(seed, settings.SECRET_KEY)).decode()


def headers(message_id: str, body: bytes, *, seeds: Iterable[str], timestamp: int) -> dict[str, str]:
    """Which of the signatures a receiver knows is for it to find out: during a rotation there are two."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    made = [hmac.new(key_of(seed, settings.SECRET_KEY), signed, sha256).digest() for seed in seeds]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{b64encode(each).decode()}" for each in made),
    }
