"""The code for typing where no camera reads the QR: ten characters, `7K2M-9QF3-8D`.

Nine of them are the number of the registration and the issue of the ticket, 45 bits that a secret permutation has
shuffled; the tenth is a checksum. So nothing is stored, a code is read without a search, and whoever guesses one is
right as often as one number of 2^45 is a ticket (docs/decisions/0017-tickets-are-computed.md).
"""

import hashlib
from collections.abc import Sequence
from typing import Final

from jointoit.tickets import keys

#: Crockford's base32: without I, L, O and U.
LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
VALUE: Final = {letter: value for value, letter in enumerate(LETTERS)} | {"O": 0, "I": 1, "L": 1}
IGNORED: Final = str.maketrans("", "", " -\u00a0\u2010\u2011\u2012\u2013\u2014")
LENGTH: Final = 10
REGISTRATION, ISSUE = 36, 9  # bits
LEFT, RIGHT = 22, 23  # bits: the halves of the permutation
ROUNDS: Final = 10  # as many as NIST SP 800-38G takes
GENERATOR: Final = 0b100101  # x⁵ + x² + 1, of the field with 32 elements


class UnknownCodeError(ValueError):
    """Nothing that this deployment gives out: a typo, or a guess."""


def write(registration: int, issue: int) -> str:
    """The code of a ticket, with the newest key. Of `issue` it tells the lowest nine bits."""
    if not 0 < registration < 2**REGISTRATION:
        raise ValueError(registration)
    number = permute(registration << ISSUE | issue % 2**ISSUE, keys.present()[0].code_key)
    values = [number >> 5 * place & 31 for place in reversed(range(LENGTH - 1))]
    text = "".join(LETTERS[value] for value in (*values, checksum(values)))
    return f"{text[:4]}-{text[4:8]}-{text[8:]}"


def read(code: str) -> Sequence[tuple[int, int]]:
    """What the code may be: a registration and the lowest bits of an issue for each key, the newest first.

    Case, blanks and hyphens do not count, O is read as 0, I and L as 1. Raises UnknownCodeError.
    """
    text = code.translate(IGNORED).upper()
    if len(text) != LENGTH or not VALUE.keys() >= set(text):
        raise UnknownCodeError
    *values, last = (VALUE[letter] for letter in text)
    if last != checksum(values):
        raise UnknownCodeError
    number = sum(value << 5 * place for place, value in enumerate(reversed(values)))
    found = (permute(number, key.code_key, backward=True) for key in keys.present())
    return [(each >> ISSUE, each % 2**ISSUE) for each in found]


def checksum(values: Sequence[int]) -> int:
    """A polynomial over the field with 32 elements: no single typo and no swap of two characters gets past it."""
    total = 0
    for value in values:
        total = double(total ^ value)
    return total


def double(value: int) -> int:
    """Times x."""
    return value << 1 ^ (GENERATOR if value & 0b10000 else 0)


def permute(number: int, secret: bytes, *, backward: bool = False) -> int:
    """A permutation of the numbers below 2^45 that only the secret tells: a Feistel network of unequal halves."""
    left, right = number >> RIGHT, number % 2**RIGHT
    for turn in reversed(range(ROUNDS)) if backward else range(ROUNDS):
        if turn % 2:
            right ^= noise(secret, turn, left) % 2**RIGHT
        else:
            left ^= noise(secret, turn, right) % 2**LEFT
    return int(left << RIGHT | right)


def noise(secret: bytes, turn: int, half: int) -> int:
    octets = hashlib.blake2b(bytes([turn]) + half.to_bytes(3, "big"), key=secret, digest_size=4).digest()
    return int.from_bytes(octets, "big")
