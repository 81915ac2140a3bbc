"""What attendees do on their pages: answer, hand a seat on, ask for a ticket or a mail again."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from jointoit.accounts.callers import SERVICE
from jointoit.events import questions
from jointoit.events.models import Event, Registration
from jointoit.mail import links, payload, rendering
from jointoit.mail.models import OutboxMail
from jointoit.organizing.models import Transfer

pytestmark = pytest.mark.django_db


@pytest.fixture
def ask(now):
    def ask(event, label, type="text", **fields):  # noqa: A002
        fields = {"label": label, "type": type} | fields
        return questions.add(caller=SERVICE, event_id=event.pk, fields=fields, now=now)

    return ask


@pytest.fixture
def asking(make_event, ask):
    """An event that asks a question of each type, and those by their type."""
    event, options = make_event(allow_transfers=True), {"options": ["jazz", "folk"]}
    types = ["text", "long_text", "choice", "choices", "consent", "number", "date"]
    found = {
        each: ask(event, f"Say {each}", each, required=each in ("text", "consent"), help="<b>Please</b>",
                  **(options if each.startswith("choice") else {}))
        for each in types
    }  # fmt: skip
    event.refresh_from_db()
    return event, found


GOOD = {
    "text": "vegan", "long_text": "a\r\nb", "choice": "folk", "choices": ["folk", "jazz"], "consent": "on",
    "number": "3", "date": "2030-05-17",
}  # fmt: skip
KEPT = GOOD | {"long_text": "a\nb", "choices": ["jazz", "folk"], "consent": True, "number": 3}


def sent(found, **more):
    answers = {f"answer_{found[name].pk}": value for name, value in (GOOD | more).items()}
    return {"asked": ",".join(str(each.pk) for each in found.values()), **answers}


def path_of(registration, name="registration"):
    if name == "registration":
        return reverse("page-registration", args=[registration.pk])
    return reverse(f"page-{name}", args=[links.mint_registration(registration.pk, registration.attendee.email)])


# ── Questions ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_button_leads_to_the_questions_and_the_answers_to_a_seat(
    log_in, asking, make_user, django_assert_max_num_queries
):
    (event, found), client = asking, log_in(make_user())
    path = reverse("page-register", args=[event.pk])

    button = client.get(reverse("page-event-short", args=[event.pk]), follow=True).text
    with django_assert_max_num_queries(6):
        form = client.get(path).text
    answer = client.post(path, sent(found), follow=True)

    assert (f'href="{path}"' in button, "asks 7 questions" in button) == (True, True)
    assert [f"Say {name}" in form for name in found] == [True] * 7
    assert ("&lt;b&gt;Please" in form, "You have a seat." in answer.text) == (True, True)
    registration = event.registrations.get()
    assert registration.answers == {str(found[name].pk): value for name, value in KEPT.items()}
    assert client.get(path)["Location"] == reverse("page-event-short", args=[event.pk])


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"text": ""}, "This field is required."),
        ({"text": "x" * 501}, "Answer with at most 500 characters."),
        ({"text": "\x00"}, "Null characters are not allowed."),
        ({"consent": ""}, "This field is required."),
        ({"choice": "polka"}, "Select a valid choice."),
        ({"choices": ["polka"]}, "Select a valid choice."),
        ({"number": "inf"}, "Enter a number."),
        ({"number": "9" * 30}, "This number is too large."),
        ({"date": "tomorrow"}, "Answer with a day, such as 2030-05-17."),
    ],
)
def test_a_wrong_answer_is_told_beside_its_question_and_the_others_stay(log_in, asking, make_user, wrong, sentence):
    (event, found), (name,) = asking, wrong

    page = log_in(make_user()).post(
        reverse("page-register", args=[event.pk]), sent(found, long_text="Keep me", **wrong)
    )

    beside = re.search(rf'id="id_answer_{found[name].pk}_error">([^<]*)<', page.text)[1]
    assert (page.status_code, sentence in beside, "Keep me" in page.text) == (400, True, True)
    assert event.registrations.count() == 0


def test_a_question_that_the_reader_has_not_seen_is_asked_before_there_is_a_seat(log_in, asking, ask, make_user):
    event, found = asking
    client, path = log_in(make_user()), reverse("page-register", args=[event.pk])
    late = ask(event, "One more", "choice", required=True, options=list("abcdefgh"))

    page = client.post(path, sent(found))

    assert (page.status_code, "The questions of this event have just changed." in page.text) == (409, True)
    assert (
        f'<select name="answer_{late.pk}"' in page.text,
        'value="vegan"' in page.text,
        event.registrations.count(),
    ) == (True, True, 0)
    client.post(path, sent(found | {"late": late}, late="c"))
    assert event.registrations.get().answers[str(late.pk)] == "c"


@pytest.mark.parametrize("name", ["registration", "linked-registration"])
def test_answers_are_changed_until_the_start_and_shown_afterwards(log_in, asking, register, now, name):
    event, found = asking
    seat = register(event, answered={str(found[each].pk): KEPT[each] for each in KEPT})
    client, path = log_in(seat.attendee), path_of(seat, name)

    page = client.get(path).text
    changed = client.post(path, {"do": "answer", **sent(found, text="all", number="")}, follow=True).text
    refused = client.post(path, {"do": "answer", **sent(found, text="x" * 501)})

    assert ('value="vegan"' in page, "Your answers are saved." in changed) == (True, True)
    assert (refused.status_code, "at most 500 characters" in refused.text) == (400, True)
    seat.refresh_from_db()
    assert (seat.answers[str(found["text"].pk)], str(found["number"].pk) in seat.answers) == ("all", False)
    Event.objects.filter(pk=event.pk).update(date=now - timedelta(minutes=1), ends_at=now + timedelta(hours=1))
    shown = client.get(path).text
    assert ('<dd dir="auto">all</dd>' in shown, 'value="answer"' in shown) == (True, False)
    assert client.post(path, {"do": "answer", **sent(found)}).status_code == 409


# ── Handing on ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["registration", "linked-registration"])
def test_a_seat_is_offered_taken_back_and_accepted_by_the_link_of_the_mail(
    log_in, make_event, make_user, register, statuses, name
):
    seat, friend = register(make_event(allow_transfers=True)), make_user(email_verified=True)
    client, path = log_in(seat.attendee), path_of(seat, name)

    client.post(path, {"do": "offer", "email": friend.email})
    assert f"Your seat is offered to {friend.email}." in client.get(path).text
    again = client.post(path, {"do": "offer", "email": "other@example.org"})
    wrong = client.post(path, {"do": "offer", "email": "nobody"})
    client.post(path, {"do": "withdraw"})
    client.post(path, {"do": "withdraw"})
    client.post(path, {"do": "offer", "email": friend.email})

    assert wrong.status_code == 400
    assert (again.status_code, "The seat is offered to somebody already." in again.text) == (409, True)
    mail = OutboxMail.objects.filter(kind="transfer_offer").values_list("kind", "payload").last()
    led = re.search(r"https?://[^/]*(/me/transfers/\S+)", rendering.write(payload.load(*mail)).text)[1]
    asked = log_in(friend).get(led)
    assert ("Accept the seat" in asked.text, statuses(seat)) == (True, ["confirmed"])
    token = re.search(r'name="token" value="([^"]+)"', asked.text)[1]
    taken = log_in(friend).post("/me/transfers/", {"do": "accept", "token": token}, follow=True)
    assert ("The seat is yours." in taken.text, statuses(seat)) == (True, ["cancelled"])
    assert Registration.objects.get(attendee=friend).status == "confirmed"


@pytest.mark.parametrize("case", ["settled", "forged", "begun", "other", "unverified", "decline"])
def test_an_offer_that_cannot_be_taken_says_why_and_takes_nothing(
    log_in, make_event, make_user, register, now, statuses, case
):
    seat = register(make_event(allow_transfers=True))
    friend = make_user(email_verified=case != "unverified")
    email = "somebody@example.org" if case == "other" else friend.email
    offer = Transfer.objects.create(
        registration=seat, email=email, created_at=now, settled_at=now if case == "settled" else None
    )
    if case == "begun":
        Event.objects.filter(pk=seat.event_id).update(date=now)
    token = "forged" if case == "forged" else links.mint_transfer(offer.pk)
    client, do = log_in(friend), "decline" if case == "decline" else "accept"

    page = client.get("/me/transfers/", {"token": token}).text
    done = client.post("/me/transfers/", {"do": do, "token": token})

    sentence = {"other": "went to another address", "unverified": "First confirm your address", "decline": "Decline"}
    assert sentence.get(case, "accepted, declined, taken back or too old") in page
    status = {"forged": 400, "settled": 400, "begun": 409, "decline": 302}.get(case, 403)
    assert (done.status_code, statuses(seat)) == (status, ["confirmed"])


@pytest.mark.parametrize("fields", [{}, {"allow_transfers": True, "date": timedelta(minutes=-1)}])
def test_where_seats_stay_nothing_is_offered(log_in, make_event, register, now, fields):
    seat = register(make_event())
    changed = {name: now + value if name == "date" else value for name, value in fields.items()}
    Event.objects.filter(pk=seat.event_id).update(**changed | {"ends_at": now + timedelta(days=8)})
    client = log_in(seat.attendee)

    assert 'value="offer"' not in client.get(path_of(seat)).text
    page = client.post(path_of(seat), {"do": "offer", "email": "friend@example.org"})
    assert (page.status_code, Transfer.objects.count()) == (409, 0)


# ── A ticket and a mail once more ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["registration", "linked-registration"])
def test_a_new_ticket_takes_the_place_of_the_old_one_after_a_button(log_in, make_event, register, mails, name):
    seat = register(make_event())
    client, path = log_in(seat.attendee), path_of(seat, name)
    code = re.search(r'class="code">([^<]+)<', client.get(path).text)[1]

    page = client.post(path, {"do": "reissue"}, follow=True).text

    assert ("This is your new ticket" in page, code in page) == (True, False)
    assert mails(seat.attendee)[-1] == "ticket_reissued"


def test_the_mail_is_sent_again_three_times_a_day(log_in, make_event, register, mails):
    seat = register(make_event())
    client = log_in(seat.attendee)

    pages = [client.post(path_of(seat), {"do": "mail"}) for _ in range(4)]

    assert [page.status_code for page in pages] == [302] * 3 + [429]
    assert ("at most 3 times a day" in pages[3].text, int(pages[3]["Retry-After"]) > 0) == (True, True)
    assert mails(seat.attendee) == ["registration_confirmed"] * 4


def test_nobody_sees_or_does_anything_with_the_registration_of_another(log_in, make_event, make_user, register, mails):
    seat = register(make_event(allow_transfers=True))
    client = log_in(make_user())

    answers = [client.post(path_of(seat), {"do": do}) for do in ("answer", "offer", "withdraw", "reissue", "mail")]

    assert [answer.status_code for answer in (client.get(path_of(seat)), *answers)] == [404] * 6
    assert mails(seat.attendee) == ["registration_confirmed"]
