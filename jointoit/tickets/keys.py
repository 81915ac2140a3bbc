"""The keys of the deployment that sign tickets: TICKET_KEYS, the newest first. All of them verify."""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

ID: Final = 4  # octets of the thumbprint: among a handful of keys it is a name, not a proof


@dataclass(frozen=True)
class TicketKey:
    """One key pair. `code_key` is the secret of the codes for typing, which no public key can check."""

    id: bytes
    private: Ed25519PrivateKey
    public: Ed25519PublicKey
    code_key: bytes

    @property
    def jwk(self) -> dict[str, str]:
        """RFC 8037 section 2. `kid` is the key id of tokens in hexadecimal digits."""
        return {**okp(self.public), "kid": self.id.hex(), "use": "sig", "alg": "EdDSA"}


def present() -> Sequence[TicketKey]:
    """The keys as the settings have them now."""
    return read_all(tuple(settings.TICKET_KEYS))


@lru_cache(maxsize=8)
def read_all(seeds: tuple[str, ...]) -> Sequence[TicketKey]:
    return [read(seed) for seed in seeds]


def read(seed: str) -> TicketKey:
    """The key of 64 hexadecimal digits: the 32 octets of RFC 8032 section 5.1.5. Raises ValueError for others."""
    octets = bytes.fromhex(seed)
    private = Ed25519PrivateKey.from_private_bytes(octets)
    public = private.public_key()
    code_key = hashlib.blake2b(octets, digest_size=32, person=b"jointoit-code").digest()
    return TicketKey(thumbprint(public)[:ID], private, public, code_key)


def okp(public: Ed25519PublicKey) -> dict[str, str]:
    x = base64.urlsafe_b64encode(public.public_bytes_raw()).rstrip(b"=")
    return {"crv": "Ed25519", "kty": "OKP", "x": x.decode()}


def thumbprint(public: Ed25519PublicKey) -> bytes:
    """RFC 7638 section 3: SHA-256 of the required members in the order of their names."""
    return hashlib.sha256(json.dumps(okp(public), separators=(",", ":")).encode()).digest()


def jwks() -> dict[str, Any]:
    """What a scanner without network verifies tokens with (RFC 7517 section 5)."""
    return {"keys": [key.jwk for key in present()]}
