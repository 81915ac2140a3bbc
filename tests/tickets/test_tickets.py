"""A token is read as it was drawn or not at all; a code forgives what people do; the QR is read by others."""

import io
import json
import re
import subprocess
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from jointoit.tickets import codes, keys, qr, tokens
from jointoit.tickets.tokens import ForgedTicketError, Ticket

DOCUMENT = Path(__file__).parents[2] / "docs" / "tickets.md"
TICKET = Ticket(event=7, registration=42, issue=1)
#: The alphabet of RFC 4648 section 6.
BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@pytest.fixture(autouse=True)
def _keys(settings):
    settings.TICKET_KEYS = ["11" * 32, "22" * 32]


@pytest.mark.parametrize("issue", [1, 2, 65_535])
@pytest.mark.parametrize(("event", "registration"), [(1, 1), (127, 128), (16_383, 2_097_151), (2**63 - 1, 2**63 - 1)])
def test_a_token_says_what_was_signed(event, registration, issue):
    ticket = Ticket(event, registration, issue)

    assert tokens.verify(tokens.sign(ticket)) == ticket


def test_a_token_is_small_enough_for_a_small_qr():
    lengths = {len(tokens.sign(Ticket(*ids, 1))) for ids in ((1, 1), (16_383, 2**21 - 1))}

    assert lengths == {121, 126}
    assert {qr.drawn(tokens.sign(Ticket(e, r, 1))).version for e, r in ((1, 1), (16_383, 2**21 - 1))} == {5, 6}


def forged(token):
    try:
        tokens.verify(token)
    except ForgedTicketError:
        return True
    return False


def test_every_bit_counts():
    token = tokens.sign(TICKET)
    text = token.removeprefix(tokens.PREFIX)
    flipped = [
        tokens.PREFIX + text[:place] + BASE32[BASE32.index(text[place]) ^ 1 << bit] + text[place + 1 :]
        for place in range(len(text))
        for bit in range(5)
    ]

    assert (len(flipped), all(map(forged, flipped))) == (len(text) * 5, True)


def test_a_token_is_written_in_one_way():
    token = tokens.sign(TICKET)
    others = [
        token.lower(), token + "=", token + "====", f" {token}", token + "\n", token.replace("JT1:", "JT2:"),
        token.removeprefix("JT1:"), f"JT1:{token}", token[:-1], token + "A", "", "JT1:", "JT1:1", "x" * 10_000, "JT1:ä",
        token.replace(token[10], "\u0130", 1),
    ]  # fmt: skip

    assert [each for each in others if not forged(each)] == []


def test_tickets_of_an_older_key_stay_good(settings):
    settings.TICKET_KEYS = ["22" * 32]
    token, code = tokens.sign(TICKET), codes.write(42, 1)
    settings.TICKET_KEYS = ["11" * 32, "22" * 32]

    assert tokens.verify(token) == TICKET
    assert (42, 1) in codes.read(code)
    assert tokens.sign(TICKET) != token


def test_tickets_of_a_key_that_is_gone_are_forged(settings):
    token = tokens.sign(TICKET)
    settings.TICKET_KEYS = ["22" * 32]

    assert forged(token)


# ── Codes ──


def test_a_code_is_read_back():
    assert all(codes.read(codes.write(pk, issue))[0] == (pk, issue) for pk in (1, 42, 2**36 - 1) for issue in (1, 511))


@pytest.mark.parametrize(
    "change", [str.lower, lambda c: c.replace("-", ""), lambda c: c.replace("-", " – "), lambda c: f"  {c} "]
)
def test_a_code_forgives_case_blanks_and_hyphens(change):
    assert codes.read(change(codes.write(42, 1)))[0] == (42, 1)


def test_a_code_forgives_letters_that_look_like_digits():
    written = {codes.write(pk, 1) for pk in range(1, 400)}
    typed = {code: code.replace("0", "O").replace("1", "l") for code in written}

    assert sum(code != other for code, other in typed.items()) > 100
    assert [codes.read(other) for other in typed.values()] == [codes.read(code) for code in typed]


def test_no_typo_and_no_swap_gets_past_the_checksum():
    text = codes.write(42, 1).replace("-", "")
    typos = {text[:at] + other + text[at + 1 :] for at in range(10) for other in codes.LETTERS} - {text}
    swaps = {text[:at] + text[at + 1] + text[at] + text[at + 2 :] for at in range(9)} - {text}

    assert [each for each in typos | swaps if known(each)] == []


@pytest.mark.parametrize(
    "wrong", ["", "U" * 10, "7K2M-9QF3-8", "7K2M-9QF3-8DD", "7K2M-9QF3-8\N{GREEK SMALL LETTER ALPHA}", "x" * 64]
)
def test_what_is_no_code_is_unknown(wrong):
    assert not known(wrong)


def known(code):
    try:
        codes.read(code)
    except codes.UnknownCodeError:
        return False
    return True


def test_codes_tell_nothing_of_each_other():
    """Neighbours differ in as many characters as strangers do: about 31 of 32."""
    pairs = [(codes.write(pk, 1), codes.write(pk + 1, 1)) for pk in range(1, 2001)]
    same = sum(a == b for pair in pairs for a, b in zip(pair[0][:11], pair[1][:11], strict=True) if a != "-")

    assert 400 < same < 750  # of 18,000; 562 by chance


def test_a_registration_beyond_the_codes_is_refused():
    with pytest.raises(ValueError, match="68719476736"):
        codes.write(2**36, 1)
    with pytest.raises(ValueError, match="-1"):
        tokens.sign(Ticket(-1, 1, 1))


# ── What others make of it ──


@pytest.mark.parametrize("ticket", [TICKET, Ticket(16_383, 2_097_151, 3), Ticket(2**63 - 1, 2**63 - 1, 1)])
@pytest.mark.parametrize("scale", [4, 8])
def test_a_reader_reads_every_qr_that_we_draw(ticket, scale):
    token = tokens.sign(ticket)

    [found] = zxingcpp.read_barcodes(Image.open(io.BytesIO(qr.png(token, scale=scale))))

    assert (found.text, found.format) == (token, zxingcpp.BarcodeFormat.QRCode)
    assert b"<svg" in qr.svg(token)


VERIFY = """
const { createPublicKey, verify } = require("node:crypto");
const { keys, tokens } = JSON.parse(require("node:fs").readFileSync(0));
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
function octets(text) {
  let bits = "";
  for (const letter of text) bits += letters.indexOf(letter).toString(2).padStart(5, "0");
  return Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
}
function read(token) {
  const all = octets(token.slice(4)), signed = all.subarray(0, -64), kid = signed.subarray(1, 5).toString("hex");
  const jwk = keys.find((key) => key.kid === kid);
  if (!jwk || !verify(null, signed, createPublicKey({ key: jwk, format: "jwk" }), all.subarray(-64))) return null;
  const numbers = [];
  let number = 0n, shift = 0n;
  for (const octet of signed.subarray(5, -2)) {
    number |= BigInt(octet & 127) << shift;
    shift += 7n;
    if (octet < 128) { numbers.push(number.toString()); number = shift = 0n; }
  }
  return [...numbers, String(signed.readUInt16BE(signed.length - 2))];
}
console.log(JSON.stringify(tokens.map(read)));
"""


def read_by_node(jwks, found):
    given = json.dumps({**jwks, "tokens": found})
    ran = subprocess.run(["node", "-e", VERIFY], input=given, capture_output=True, text=True, check=True)
    return [each and [int(number) for number in each] for each in json.loads(ran.stdout)]


def test_node_verifies_what_we_sign_with_the_published_keys_alone():
    tickets = [[7, 42, 1], [16_383, 2_097_151, 3], [2**63 - 1, 2**63 - 1, 65_535]]
    good = [tokens.sign(Ticket(*ticket)) for ticket in tickets]
    bad = good[0][:20] + ("A" if good[0][20] != "A" else "B") + good[0][21:]

    assert read_by_node(keys.jwks(), [*good, bad]) == [*tickets, None]


def test_the_vectors_of_the_document_hold(settings):
    text = DOCUMENT.read_text()
    vectors = json.loads(re.findall(r"```json\n(.*?)```", text, re.DOTALL)[-1])
    settings.TICKET_KEYS = [vectors["key"]]

    assert keys.jwks() == vectors["jwks"]
    for vector in vectors["tickets"]:
        ticket = Ticket(vector["event"], vector["registration"], vector["issue"])
        assert tokens.sign(ticket) == vector["token"]
        assert codes.write(ticket.registration, ticket.issue) == vector["code"]
    read = read_by_node(vectors["jwks"], [vector["token"] for vector in vectors["tickets"]])
    assert read == [[vector[name] for name in ("event", "registration", "issue")] for vector in vectors["tickets"]]
    assert all(map(forged, vectors["forged"]))
