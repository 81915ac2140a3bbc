"""The token that a QR holds: what a ticket is for, signed (docs/tickets.md).

    JT1:  base32 of   version · key id · event · registration · issue · Ed25519 signature of all before it

Version is one octet, the key id four; event and registration are unsigned LEB128, the issue two octets, the highest
first; the signature has 64 octets. A token is read exactly as it was drawn: whatever differs in one bit, case, padding
or prefix is forged.
"""

import base64
import binascii
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature

from jointoit.tickets import keys

PREFIX: Final = "JT1:"
VERSION: Final = b"\x01"
ISSUE: Final = 2  # octets
SIGNATURE: Final = 64  # octets
LARGEST: Final = 2**63


class ForgedTicketError(ValueError):
    """No ticket of this deployment, or one that somebody changed."""


@dataclass(frozen=True)
class Ticket:
    """What is signed. `issue` begins at 1 and grows when a ticket is replaced; the earlier ones are void."""

    event: int
    registration: int
    issue: int


def sign(ticket: Ticket) -> str:
    """The token, with the newest key."""
    key = keys.present()[0]
    numbers = leb128(ticket.event) + leb128(ticket.registration) + ticket.issue.to_bytes(ISSUE, "big")
    signed = VERSION + key.id + numbers
    return PREFIX + to_base32(signed + key.private.sign(signed))


def verify(token: str) -> Ticket:
    """What the token is for. Raises ForgedTicketError for whatever this deployment did not sign just so."""
    octets = from_base32(token)
    signed, signature = octets[:-SIGNATURE], octets[-SIGNATURE:]
    for key in keys.present():
        if signed.startswith(VERSION + key.id):
            try:
                key.public.verify(signature, signed)
            except InvalidSignature:
                continue
            event, registration = numbers(signed[len(VERSION) + keys.ID : -ISSUE])
            return Ticket(event, registration, int.from_bytes(signed[-ISSUE:], "big"))
    raise ForgedTicketError


def to_base32(octets: bytes) -> str:
    """RFC 4648 section 6, without padding: characters of the alphanumeric mode of QR codes."""
    return base64.b32encode(octets).decode().rstrip("=")


def from_base32(token: str) -> bytes:
    """The octets, if this is how `to_base32` writes them: the last bits that carry nothing are 0."""
    text = token.removeprefix(PREFIX)
    try:
        octets = base64.b32decode(text + "=" * (-len(text) % 8))
    except (binascii.Error, ValueError):
        raise ForgedTicketError from None
    if token != PREFIX + to_base32(octets):
        raise ForgedTicketError
    return octets


def leb128(number: int) -> bytes:
    """Seven bits an octet, the lowest first; the highest bit says that more follow."""
    if not 0 <= number < LARGEST:
        raise ValueError(number)
    octets = bytearray()
    while number > 0x7F:
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*octets, number])


def numbers(octets: bytes) -> list[int]:
    """What `leb128` wrote, one after the other."""
    found, number, shift = [], 0, 0
    for octet in octets:
        number |= (octet & 0x7F) << shift
        shift += 7
        if octet < 0x80:
            found.append(number)
            number = shift = 0
    return found
