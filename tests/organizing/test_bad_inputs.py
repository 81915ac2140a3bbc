"""What an organizer, or somebody who registers, may send by mistake or on purpose: it is refused, or means nothing."""

import csv
from typing import Any

import pytest

from jointoit.accounts.callers import SERVICE
from jointoit.events import questions
from jointoit.mail import rendering
from jointoit.mail.models import OutboxMail
from jointoit.mail.payload import load
from jointoit.organizing.models import Announcement

NEWS = {"subject": "The room", "text": "Second floor."}


def pointers(answer: Any) -> list[tuple[str, str]]:
    return [(error["pointer"], error["code"]) for error in answer.json()["errors"]]


@pytest.mark.parametrize(
    ("answers", "pointer", "code"),
    [
        ({"999999": "x"}, "#/answers", "invalid_answer"),
        ({"choice": "gold"}, "#/answers/{}", "invalid_answer"),
        ({"choice": 7}, "#/answers/{}", "invalid_answer"),
    ],
)
def test_an_answer_that_is_none_is_pointed_at(signed_in, make_event, make_user, now, answers, pointer, code):
    event = make_event()
    fields = {"label": "Which?", "type": "choice", "options": ["jazz"]}
    asked = questions.add(caller=SERVICE, event_id=event.pk, fields=fields, now=now)
    given = {str(asked.pk) if name == "choice" else name: value for name, value in answers.items()}

    refused = signed_in(make_user()).post(f"/events/{event.pk}/register/", {"answers": given})

    assert (refused.status_code, pointers(refused)) == (400, [(pointer.format(asked.pk), code)])
    assert event.registrations.count() == 0


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"subject": "Hi\r\nBcc: all@example.org"}, "#/subject"), ({"subject": "\u2028"}, "#/subject"),
        ({"subject": "x" * 151}, "#/subject"), ({"text": ""}, "#/text"), ({"text": "x" * 10_001}, "#/text"),
        ({"to": []}, "#/to"), ({"to": ["everybody"]}, "#/to/0"),
    ],
)  # fmt: skip
def test_an_announcement_that_cannot_be_is_pointed_at_and_reaches_nobody(
    signed_in, make_event, register, fields, pointer
):
    event = make_event()
    register(event)

    refused = signed_in(event.organizer).post(f"/events/{event.pk}/announcements/", NEWS | fields)

    assert (refused.status_code, [place for place, _ in pointers(refused)]) == (400, [pointer])
    assert Announcement.objects.count() == OutboxMail.objects.filter(kind="news").count() == 0


def test_markup_in_an_announcement_is_text(signed_in, make_event, register, make_user):
    event = make_event()
    register(event, make_user(email_verified=True))
    words = {"subject": "<b>Free</b>", "text": "<script>alert(1)</script> & {{ event }} <a href='//x'>y</a>"}

    signed_in(event.organizer).post(f"/events/{event.pk}/announcements/", words)

    mail = OutboxMail.objects.get(kind="news")
    content = rendering.write(load(mail.kind, mail.payload))
    assert (words["text"] in content.text, "<b>Free</b>" in content.subject) == (True, True)
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; {{ event }} &lt;a href=" in content.html
    assert ("<script" in content.html, "<b>Free" in content.html) == (False, False)


FORMULAS = ("=1+1", "＝cmd", "＋1", "－1", "＠SUM(A1)", "x;=cmd", "\u200b=1")


def test_neither_answers_nor_questions_are_formulas_in_a_spreadsheet(signed_in, make_event, register, now):
    event = make_event()
    asked = [
        questions.add(caller=SERVICE, event_id=event.pk, fields={"label": formula, "type": "text"}, now=now)
        for formula in FORMULAS
    ]
    register(event, answered={str(each.pk): formula for each, formula in zip(asked, FORMULAS, strict=True)})

    file = signed_in(event.organizer).get(f"/events/{event.pk}/registrations/?format=csv")

    header, line = csv.reader(b"".join(file.streaming_content).decode("utf-8-sig").splitlines())
    safe = ["'=1+1", "'＝cmd", "'＋1", "'－1", "'＠SUM(A1)", "x;'=cmd", "\u200b'=1"]
    of_questions = slice(-len(FORMULAS), None)
    assert [name.rpartition(" (")[0] for name in header[of_questions]] == safe
    assert line[of_questions] == safe


@pytest.mark.parametrize("ids", [list(range(1, 202)), [], ["1"], [0], [True], "7"])
def test_steps_on_too_many_or_on_none_are_refused_whole(signed_in, make_event, ids):
    event = make_event()

    refused = signed_in(event.organizer).post(
        f"/events/{event.pk}/registrations/steps/", {"ids": ids, "status": "confirmed"}
    )

    assert (refused.status_code, pointers(refused)[0][0].startswith("#/ids")) == (400, True)


@pytest.mark.parametrize("reason", ["x" * 501, 7, ["a"], "a\x07b"], ids=["long", "number", "list", "bell"])
@pytest.mark.parametrize("path", ["/events/{event}/cancel/", "/registrations/{registration}/"])
def test_a_reason_that_is_none_ends_nothing(signed_in, make_event, register, reason, path):
    registration = register(make_event())
    event = registration.event
    client = signed_in(event.organizer)
    send = client.post if path.endswith("cancel/") else client.patch

    refused = send(path.format(event=event.pk, registration=registration.pk), {"status": "cancelled", "reason": reason})

    registration.refresh_from_db()
    assert (refused.status_code, pointers(refused)[0][0], registration.status) == (400, "#/reason", "confirmed")
