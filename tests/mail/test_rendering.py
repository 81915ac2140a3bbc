"""What each mail says, and that nobody can make it say something else."""

import io
import re
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import orjson
import pytest
import zxingcpp
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from PIL import Image

from jointoit.mail import links, payload, rendering
from jointoit.mail import messages as m
from jointoit.mail.models import OutboxMail
from jointoit.tickets import codes, tokens
from jointoit.tickets.tokens import Ticket
from tests.mail.samples import ADA, BEFORE, KINDS, MEETING, sample

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def on_the_wire(message: m.Message) -> EmailMessage:
    row = OutboxMail(
        kind=message.kind,
        payload=orjson.loads(payload.dump(message)),
        message_id="<1@jointoit.example>",
        created_at=NOW,
    )
    composed = rendering.compose(row, now=NOW)
    assert isinstance(composed, EmailMultiAlternatives)
    source = composed.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]
    parsed = message_from_bytes(source, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


class Addresses(HTMLParser):
    """Every address that opening the mail, or clicking in it, could reach."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.clicked: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name == "href" and tag == "a":
                self.clicked.append(value or "")
            elif name in {"src", "href", "background", "srcset", "action", "data"} or "url(" in (value or ""):
                self.loaded.append(value or "")


def addresses(html: str) -> Addresses:
    parser = Addresses()
    parser.feed(html)
    return parser


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["subject.txt", "body.txt", "body.html"])
def test_every_mail_has_a_subject_a_text_and_a_page(kind: str, name: str) -> None:
    assert (rendering.HERE / "mail" / kind / name).is_file()


def test_every_folder_belongs_to_a_mail() -> None:
    assert {path.name for path in (rendering.HERE / "mail").iterdir() if path.is_dir()} == set(KINDS)


TEMPLATES = sorted((rendering.HERE / "mail").rglob("*.*"))
#: What needs no translation: marked texts, tags, what is filled in, styles, entities.
MARKED = re.compile(
    r"{% blocktranslate.*?{% endblocktranslate %}|{%.*?%}|{{.*?}}|<style>.*?</style>|<[^>]*>|&\w+;", re.DOTALL
)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_every_word_of_a_mail_can_be_translated(path: Path) -> None:
    assert re.findall(r"[^\W\d_]+", MARKED.sub("", path.read_text())) == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_mail_greets_by_name_and_reads_well_without_the_page(kind: str) -> None:
    content = rendering.write(sample(KINDS[kind]))

    assert content.text.startswith("Hello Ada Lovelace,\n\n")
    assert not re.search(r"&\w+;|None|\{[{%]|\n{3}|  $", content.text)
    assert "Hello <bdi>Ada Lovelace</bdi>," in content.html


@pytest.mark.parametrize("kind", KINDS)
def test_every_mail_on_the_wire_is_for_one_person_and_says_it_comes_from_a_machine(kind: str) -> None:
    mail = on_the_wire(sample(KINDS[kind]))

    assert (mail["From"], mail["To"]) == ("Jointoit <events@jointoit.example>", "ada@example.org")
    assert (mail["Message-ID"], mail["Auto-Submitted"]) == ("<1@jointoit.example>", "auto-generated")
    assert (mail["Reply-To"], mail["Cc"], mail["Bcc"], len(mail.get_all("Subject", []))) == (None, None, None, 1)
    assert mail["Date"].datetime == NOW


@pytest.mark.parametrize("kind", KINDS)
def test_no_mail_loads_anything_from_anywhere(kind: str) -> None:
    html = rendering.write(sample(KINDS[kind])).html
    parts = ["<script", "<img"] if issubclass(KINDS[kind], m.TicketMessage) else []

    assert addresses(html).loaded == ["cid:ticket@jointoit.example"] * len(parts[:1])
    assert re.findall(r"url\(|@import|<script(?! type=.application/ld.json.>)|<img(?! class=.qr.)|<link", html) == []


@pytest.mark.parametrize("kind", KINDS)
def test_what_people_write_is_text_in_the_page_and_unchanged_in_the_text(kind: str) -> None:
    content = rendering.write(sample(KINDS[kind], to=replace(ADA, name="<i>Ada</i> & Co")))

    assert ("<b>Engines" in content.html, "<i>Ada" in content.html) == (False, False)
    assert ("Looms & <b>Engines</b>" in content.text) is ("event" in KINDS[kind].__dataclass_fields__)


@pytest.mark.parametrize("kind", [kind for kind, cls in KINDS.items() if issubclass(cls, m.SeatMessage)])
def test_mails_about_a_seat_name_the_event_and_never_the_organizers_address(kind: str) -> None:
    mail = on_the_wire(sample(KINDS[kind]))

    assert str(mail["Subject"]).endswith(": Looms & <b>Engines</b>")
    assert "private@example.net" not in mail.as_string()
    clicked = addresses(part(mail, "html")).clicked
    # An event that was called off may be deleted; what became of the registration stands on its own page.
    assert ("https://events.example/events/5/" in clicked) is (kind != "event_cancelled")
    assert links.registration_address(links.mint_registration(7, ADA.address)) in clicked


TICKETS = [kind for kind, cls in KINDS.items() if issubclass(cls, m.TicketMessage)]


@pytest.mark.parametrize("kind", TICKETS)
def test_a_mail_with_a_seat_carries_its_ticket(kind: str) -> None:
    mail = on_the_wire(sample(KINDS[kind], ticket_issue=2))
    token, code = tokens.sign(Ticket(5, 7, 2)), codes.write(7, 2)

    [picture] = [each for each in mail.walk() if each.get_content_type() == "image/png"]
    [found] = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture.get_payload(decode=True))))  # type: ignore[arg-type]
    assert (found.text, picture["Content-ID"]) == (token, "<ticket@jointoit.example>")
    assert picture.get_content_disposition() == "inline"
    assert mail.get_content_type() == "multipart/related"
    assert (f"at the door: {code}\r\n" in part(mail, "plain"), f">{code}</p>" in part(mail, "html")) == (True, True)
    assert links.ticket_address(links.mint_ticket(7, 2)) in addresses(part(mail, "html")).clicked


def test_programs_that_read_mails_find_the_reservation() -> None:
    title = "</script><b>&"
    html = rendering.write(sample(m.RegistrationConfirmed, event=replace(MEETING, title=title))).html
    [script] = re.findall(r"<script type=.application/ld.json.>(.*?)</script>", html, re.DOTALL)
    found = orjson.loads(script)

    assert (found["@type"], found["reservationFor"]["name"], found["underName"]["name"]) == (
        "EventReservation", title, "Ada Lovelace",
    )  # fmt: skip
    assert found["reservedTicket"]["ticketToken"] == f"qrCode:{tokens.sign(Ticket(5, 7, 1))}"
    assert found["reservationFor"]["startDate"] == "2026-12-04T18:00:00.123456Z"


def test_a_mail_that_was_promised_before_there_were_tickets_carries_the_first() -> None:
    facts = orjson.loads(payload.dump(sample(m.RegistrationConfirmed)))
    del facts["ticket_issue"]

    assert payload.load("registration_confirmed", facts) == sample(m.RegistrationConfirmed, ticket_issue=1)


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert isinstance(body, EmailMessage)
    return str(body.get_content())


def test_times_are_the_events_and_then_the_readers_where_their_clocks_differ() -> None:
    text = rendering.write(sample(m.RegistrationConfirmed)).text

    assert (
        "When: Friday, 4 December 2026, 13:00–15:30 (America/New York)\n"
        "In your time zone: Friday, 4 December 2026, 19:00–21:30 (Europe/Berlin)\n"
    ) in text


def test_one_time_is_enough_where_the_clocks_agree() -> None:
    event = replace(MEETING, timezone="Europe/Paris")

    assert "In your time zone" not in rendering.write(sample(m.RegistrationConfirmed, event=event)).text


@pytest.mark.parametrize(
    ("starts", "ends", "hours"),
    [
        ("2027-10-31T00:30Z", None, "02:30 CEST"),
        ("2027-10-31T01:30Z", None, "02:30 CET"),
        ("2027-10-31T00:30Z", "2027-10-31T01:30Z", "02:30 CEST–02:30 CET"),
        ("2027-10-31T00:10Z", "2027-10-31T00:50Z", "02:10 CEST–02:50 CEST"),
        ("2027-10-30T22:30Z", "2027-10-31T04:00Z", "00:30 CEST–05:00 CET"),
        ("2027-10-31T02:00Z", "2027-10-31T04:00Z", "03:00–05:00"),
        ("2027-03-28T00:30Z", "2027-03-28T01:30Z", "01:30 CET–03:30 CEST"),
        ("2027-10-30T10:00Z", "2027-10-31T10:00Z", "12:00 CEST – Sunday, 31 October 2027, 11:00 CET"),
    ],
)
def test_where_the_clocks_change_the_zone_is_abbreviated_beside_the_time(
    starts: str, ends: str | None, hours: str
) -> None:
    times = {"date": datetime.fromisoformat(starts), "ends_at": ends and datetime.fromisoformat(ends)}
    event = replace(MEETING, timezone="Europe/Berlin", **times)  # type: ignore[arg-type]

    assert f" 2027, {hours} (Europe/Berlin)\n" in rendering.write(sample(m.EventReminder, event=event)).text


def test_a_move_within_the_hour_that_comes_twice_is_told() -> None:
    before = replace(MEETING, timezone="Europe/Berlin", date=datetime.fromisoformat("2027-10-31T00:30Z"), ends_at=None)
    event = replace(before, date=datetime.fromisoformat("2027-10-31T01:30Z"))

    text = rendering.write(sample(m.EventChanged, before=before, event=event)).text

    assert "02:30 CEST (Europe/Berlin)\nFrom now on: Sunday, 31 October 2027, 02:30 CET (Europe/Berlin)\n" in text


def test_an_end_on_another_day_is_written_with_its_day() -> None:
    event = replace(MEETING, ends_at=datetime(2026, 12, 6, 11, 0, tzinfo=UTC))

    assert (
        "In your time zone: Friday, 4 December 2026, 19:00 – Sunday, 6 December 2026, 12:00 (Europe/Berlin)\n"
        in rendering.write(sample(m.EventReminder, event=event)).text
    )


def test_a_zone_that_is_gone_stops_no_mail() -> None:
    text = rendering.write(sample(m.EventReminder, to=replace(ADA, timezone="Mars/Base"))).text

    assert "18:00–20:30 (UTC)" in text


def test_a_change_shows_old_and_new_side_by_side() -> None:
    content = rendering.write(sample(m.EventChanged))

    was, now = "Friday, 27 November 2026, 13:00–15:30", "Friday, 4 December 2026, 13:00–15:30"
    assert f"When, until now: {was} (America/New York)\nFrom now on: {now} (America/New York)\n" in content.text
    assert "Where, until now: Elsewhere\nFrom now on: 12 St James's Square\n" in content.text
    assert content.html.count("From now on") == 2


def test_a_change_of_the_zone_alone_says_the_old_and_the_new() -> None:
    content = rendering.write(sample(m.EventChanged, before=replace(MEETING, timezone="Asia/Tokyo")))
    assert "until now: Asia/Tokyo\nFrom now on: America/New_York\n" in content.text
    assert content.html.count("Asia/Tokyo") == content.html.count("America/New_York</p>") == 1
    assert "Time zone of the event" not in rendering.write(sample(m.EventChanged)).text


def test_a_change_of_the_place_alone_says_that_the_time_stays() -> None:
    content = rendering.write(sample(m.EventChanged, before=replace(MEETING, location=BEFORE.location)))

    assert "When, as before: Friday, 4 December 2026" in content.text


@pytest.mark.parametrize(
    ("name", "greeting"),
    [
        ("http://evil", "Hello,"),
        ("evil.example/x", "Hello,"),
        ("a@evil", "Hello,"),
        ("", "Hello,"),
        ("Buy at evil.example", "Hello Buy at evil example,"),
        ("anna.smith", "Hello anna smith,"),
        ("J.R.R. Tolkien", "Hello J.R.R. Tolkien,"),
        ("Ἀρχιμήδης", "Hello Ἀρχιμήδης,"),
    ],
)
def test_people_are_greeted_by_a_name_that_no_mail_program_makes_a_link_of(name: str, greeting: str) -> None:
    content = rendering.write(sample(m.Welcome, to=replace(ADA, name=name)))

    assert content.text.startswith(f"{greeting}\n")
    assert f'<p style="margin: 0 0 16px;">{greeting}</p>' in re.sub("</?bdi>", "", content.html)


@pytest.mark.parametrize("kind", [m.Welcome, m.ConfirmEmail, m.PasswordReset])
def test_mails_that_ask_to_act_carry_a_link_and_no_token_by_itself(kind: type[m.Message]) -> None:
    content = rendering.write(sample(kind), mint=lambda *_, **claims: f"token-of-{claims['address']}")

    assert "token=token-of-ada%40example.org\n" in content.text
    assert "token-of-ada@example.org" not in content.text + content.html
    assert len(addresses(content.html).clicked) == 2


@pytest.mark.parametrize("kind", [m.EmailChangeAsked, m.EmailChanged, m.UsernameChanged])
@pytest.mark.parametrize("can_stop", [True, False])
def test_a_change_is_taken_back_by_a_link_where_the_address_was_verified(kind: type[m.Message], can_stop: bool) -> None:
    content = rendering.write(sample(kind, can_stop=can_stop))

    assert ["/users/changes/stop/" in text for text in (content.text, content.html)] == [can_stop] * 2


@pytest.mark.parametrize("agree", ["0123456789abcdef", ""])
def test_the_old_address_gets_a_link_to_agree_where_it_has_to(agree: str) -> None:
    content = rendering.write(sample(m.EmailChangeAsked, agree=agree))

    assert ["/users/email-change/agree/" in text for text in (content.text, content.html)] == [bool(agree)] * 2


@pytest.mark.parametrize("kind", [m.GuessesRefused, m.PasswordChanged, m.SessionEnded])
def test_mails_that_only_tell_carry_no_token(kind: type[m.Message]) -> None:
    assert "token" not in rendering.write(sample(kind)).text


@pytest.mark.parametrize("kind", KINDS)
def test_mail_to_many_offers_to_be_stopped_by_one_click(kind: str) -> None:
    """RFC 2369, RFC 8058. A reminder stops the reminders alone."""
    email, text = on_the_wire(sample(KINDS[kind])), rendering.write(sample(KINDS[kind])).text
    place = "registrations/unsubscribe" if kind == "event_reminder" else "users/stop-mail"
    link = f"{settings.PUBLIC_URL}/{place}/?token="
    offers = (f"<{link}" in str(email["List-Unsubscribe"]), email["List-Unsubscribe-Post"])

    assert offers == (
        (True, "List-Unsubscribe=One-Click") if KINDS[kind].priority is m.Priority.BULK else (False, None)
    )
    assert offers[0] <= (link in text)


@pytest.mark.parametrize("kind", KINDS)
def test_every_mail_about_an_event_says_how_to_end_all_of_them(kind: str) -> None:
    content = rendering.write(sample(KINDS[kind]))
    tokens = re.findall(r"/users/stop-mail/\?token=(\S+)", content.text)

    topics = [links.stop_of(token) for token in tokens]
    wanted = [(ADA.address, "event:5"), (ADA.address, "service")] if m.event_of(sample(KINDS[kind])) else []
    assert (topics, content.html.count("/users/stop-mail/")) == (wanted, len(wanted))


def test_mail_to_many_is_named_as_such_and_mail_to_one_is_not() -> None:
    many, one = on_the_wire(sample(m.EventChanged)), on_the_wire(sample(m.RegistrationConfirmed))

    assert (many["List-Id"], many["Precedence"]) == ("<event-5.jointoit.example>", "bulk")
    assert (one["List-Id"], one["Precedence"], one["List-Unsubscribe"]) == (None, None, None)


@pytest.mark.parametrize("line_end", ["\r\n", "\n", "\r", "\u2028", "\x0b"])
def test_a_title_cannot_add_a_header(line_end: str) -> None:
    event = replace(MEETING, title=f"Hi{line_end}Bcc: x@evil.example")
    mail = on_the_wire(sample(m.RegistrationConfirmed, event=event))

    assert (mail["Bcc"], str(mail["Subject"])) == (None, "Confirmed: Hi Bcc: x@evil.example")


@pytest.mark.parametrize(
    "address",
    ["a@b.example\r\nBcc: x@evil.example", "a@b.example, c@d.example", "a@b@c", "nobody", "<a@b.c>", "", "a @b.c"],
)  # fmt: skip
def test_an_address_that_is_not_one_plain_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"addr|linefeed"):
        on_the_wire(sample(m.PasswordChanged, to=replace(ADA, address=address)))


def test_a_title_in_any_script_survives_the_wire() -> None:
    title = "Вечер 数学 🎉 " + "æ" * 200
    mail = on_the_wire(sample(m.RegistrationConfirmed, event=replace(MEETING, title=title)))

    assert str(mail["Subject"]).strip() == f"Confirmed: {title}"
    assert title in part(mail, "plain")
    assert max(len(line) for line in mail.as_bytes().splitlines()) <= 998


# ── What others wrote ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", [kind for kind, cls in KINDS.items() if issubclass(cls, m.SeatMessage)])
def test_mails_about_a_seat_say_what_the_event_is_and_reply_to_who_answers(kind: str) -> None:
    event = replace(MEETING, description="Bring <b>wool</b>.\nAnd tea.", contact="desk@example.net")
    message = sample(KINDS[kind], event=event)
    content = rendering.write(message)

    assert (on_the_wire(message)["Reply-To"], content.text.count("desk@example.net")) == ("desk@example.net", 1)
    assert "\n\nBring <b>wool</b>.\nAnd tea.\n\n" in content.text
    assert "Bring &lt;b&gt;wool&lt;/b&gt;.<br>And tea." in content.html


def test_one_subject_says_one_thing() -> None:
    subjects = [rendering.write(sample(cls)).subject for cls in KINDS.values()]

    assert len(subjects) == len(set(subjects))


@pytest.mark.parametrize("title", ["数学" * 40, "é" * 200, "Вечер " * 30, "a🎉" * 60])
def test_no_encoded_word_of_a_header_is_longer_than_75_characters(title: str) -> None:
    """RFC 2047 section 2."""
    row = OutboxMail(
        kind="registration_confirmed",
        payload=payload.plain(sample(m.RegistrationConfirmed, event=replace(MEETING, title=title))),
        message_id="<1@jointoit.example>",
        created_at=NOW,
    )
    source = rendering.compose(row, now=NOW).message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]
    words = re.findall(rb"=\?utf-8\?.*?\?=", source, re.IGNORECASE)

    assert len(words) > 1
    assert max(map(len, words)) <= 75
    assert str(on_the_wire(sample(m.RegistrationConfirmed, event=replace(MEETING, title=title)))["Subject"]) == (
        f"Confirmed: {title}".strip()
    )


@pytest.mark.parametrize("kind", KINDS)
def test_others_words_have_their_own_direction(kind: str) -> None:
    event = replace(MEETING, title="ندوة", location="القاهرة", organizer_name="ليلى", description="وصف")
    facts = {"event": event} if "event" in KINDS[kind].__dataclass_fields__ else {}
    page = rendering.write(sample(KINDS[kind], to=replace(ADA, name="عدي"), **facts)).html
    html = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)

    arabic = re.findall(
        r"<(\w+)([^>]*)>[^<]*[\u0600-\u06ff]",
        re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL).partition("<h1")[2],
    )
    assert arabic
    assert [tag for tag, more in arabic if tag != "bdi" and 'dir="auto"' not in more] == []


@pytest.mark.parametrize("kind", KINDS)
def test_pages_of_law_stand_at_the_end_of_every_mail_where_there_are_some(kind: str, settings: Any) -> None:
    bare = rendering.write(sample(KINDS[kind]))
    settings.PRIVACY_URL, settings.IMPRINT_URL = "https://law.example/privacy", "https://law.example/who"
    content = rendering.write(sample(KINDS[kind]))

    assert "Privacy: https://law.example/privacy\nImprint: https://law.example/who\n" in content.text
    clicked = addresses(content.html).clicked
    assert clicked[-2:] == ["https://law.example/privacy", "https://law.example/who"]
    assert ("Privacy" in bare.text + bare.html, "Terms" in content.text + content.html) == (False, False)
