"""Links of mails that let somebody in: to log in, and to a seat for who has no account."""

import re
import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jointoit.accounts import account_closing
from jointoit.accounts.models import User
from jointoit.events import visitors
from jointoit.events.models import Event, Question, Registration
from jointoit.mail import links, payload, rendering
from jointoit.mail.models import OutboxMail
from tests.client import BrowserClient

pytestmark = pytest.mark.django_db
ASK, OPEN, CONFIRM, REGISTER = "/login/link/", "/login/link/open/", "/login/confirm/", "/e/confirm/"
GRACE = {"first_name": "Grace", "last_name": "Hopper", "email": "grace@example.org", "timezone": "Asia/Tokyo"}
ADDRESSES = ["known@example.org", "shut@example.org", "unknown@example.org"]


def link_of(kind="login_link"):
    """The path in the newest mail of a kind, and its token."""
    mail = OutboxMail.objects.filter(kind=kind).latest("pk")
    text = rendering.write(payload.load(mail.kind, mail.payload)).text
    [path] = re.findall(r"^http://[^/]+(/\S+/open/\?token=\S+)$", text, re.MULTILINE)
    return path, path.partition("token=")[2]


def token_of(user, kind="log_in"):
    return links.mint(kind, user_id=user.pk, token_epoch=user.token_epoch, address=user.email)


def whoever(client):
    """Who is logged in."""
    page = client.get("/me/account/")
    return re.search(r'name="email" value="([^"]*)"', page.text)[1] if page.status_code == 200 else None


@pytest.fixture
def people(make_user):
    known = make_user(email=ADDRESSES[0], email_verified=True)
    return known, make_user(email=ADDRESSES[1], email_verified=True, is_active=False)


# ── Logging in ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_asking_for_a_link_looks_the_same_and_costs_the_same_for_every_address(people):
    seen, work = [], []
    for address in ADDRESSES:
        with CaptureQueriesContext(connection) as queries:
            page = BrowserClient().post(ASK, {"email": address})
        seen.append((page.status_code, page.content))
        work.append([query["sql"].split()[0] for query in queries.captured_queries])

    assert (seen, work) == ([seen[0]] * 3, [work[0]] * 3)
    going = OutboxMail.objects.filter(kind="login_link", expires_at__gt=OutboxMail.objects.latest("pk").created_at)
    assert (seen[0][0], [mail.recipient for mail in going]) == (200, ADDRESSES[:1])


def test_opening_the_link_changes_nothing_and_its_button_logs_in_once(client, people):
    client.post(ASK, {"email": "Known@Example.org"})
    path, token = link_of()
    for scanner in (BrowserClient(), BrowserClient()):
        assert scanner.head(path).status_code == 302
        page = scanner.get(path, follow=True)
        assert (f'value="{token}"' in page.text, whoever(scanner)) == (True, None)

    assert client.post(CONFIRM, {"token": token})["Location"] == "/me/"
    assert whoever(client) == ADDRESSES[0]
    assert client.post(CONFIRM, {"token": token})["Location"] == "/me/"
    later = BrowserClient()
    pages = [later.get(path), later.post(CONFIRM, {"token": token})]
    assert [(page.status_code, "This link is used" in page.text) for page in pages] == [(400, True)] * 2
    assert whoever(later) is None


def test_the_token_stands_in_no_address_that_goes_to_others_and_in_no_cache(client, people):
    opened = client.get(OPEN, {"token": token_of(people[0])})
    page = client.get(opened["Location"])

    assert (opened["Location"], opened["Referrer-Policy"], opened["Cache-Control"]) == (
        CONFIRM, "no-referrer", "no-store",
    )  # fmt: skip
    assert (page["Cache-Control"], page["X-Robots-Tag"]) == ("no-store", "noindex")


def test_nobody_is_logged_in_by_a_form_of_somebody_else(people):
    client = BrowserClient(enforce_csrf_checks=True)
    client.get(OPEN, {"token": token_of(people[0])}, follow=True)

    assert client.post(CONFIRM, {"token": token_of(people[0])}).status_code == 403
    assert client.post(ASK, {"email": ADDRESSES[0]}).status_code == 403
    assert whoever(client) is None


@pytest.mark.parametrize("wrong", ["purpose", "forged", "old", "moved", "shut", "ended", "visitor", ""])
def test_a_link_that_is_not_good_any_more_opens_nothing_and_leads_on(client, people, monkeypatch, wrong):
    known, shut = people
    then = time.time() - (15 * 60 + 1 if wrong == "old" else 0)
    with monkeypatch.context() as patch:
        patch.setattr("django.core.signing.time.time", lambda: then)
        token = token_of(shut if wrong == "shut" else known, "reset_password" if wrong == "purpose" else "log_in")
    visitor = links.Visitor(event_id=1, address=known.email, first_name="x", last_name="", timezone="UTC")
    token = {"forged": token[:-2] + "AA", "visitor": links.mint_visitor(visitor), "": ""}.get(wrong, token)
    if wrong == "moved":
        User.objects.filter(pk=known.pk).update(email="new@example.org")
    if wrong == "ended":
        known.end_access(keys=False).save()

    pages = [client.get(OPEN, {"token": token}), client.get(CONFIRM), client.post(CONFIRM, {"token": token})]

    assert [(page.status_code, f'href="{ASK}"' in page.text) for page in pages] == [(400, True)] * 3
    assert whoever(client) is None


def test_the_link_goes_on_where_one_came_from_and_never_elsewhere(client, people):
    for wanted, onward in (("/manage/", "/manage/"), ("https://evil.example/", "/me/")):
        client.post(ASK, {"email": ADDRESSES[0], "next": wanted})
        assert client.post(CONFIRM, {"token": token_of(people[0])})["Location"] == onward
        client.post("/logout/")
        OutboxMail.objects.all().delete()
        people[0].end_access(keys=False).save()


def test_who_reads_the_mail_takes_over_an_account_that_nobody_had_verified(client, log_in, make_user):
    mallory = make_user(email="victim@example.org")
    theirs = log_in(mallory)

    page = client.post(CONFIRM, {"token": token_of(mallory)}, follow=True)

    assert (page.redirect_chain[-1][0], "somebody else may have set them" in page.text) == ("/me/account/", True)
    assert (whoever(client), whoever(theirs)) == ("victim@example.org", None)
    mallory.refresh_from_db()
    assert (mallory.has_usable_password(), mallory.email_verified) == (False, True)


def test_who_is_logged_in_keeps_the_password_and_has_a_verified_address(log_in, make_user):
    ada = make_user()
    client = log_in(ada)
    client.post(CONFIRM, {"token": token_of(ada)})

    ada.refresh_from_db()
    assert (ada.has_usable_password(), ada.email_verified, whoever(client)) == (True, True, ada.email)


@pytest.mark.parametrize("typed", ["", "nobody", "a@b.co\r\nBcc: x@y.z", "a@b.co,c@d.co", "\x00", "x" * 300])
def test_what_is_no_address_is_refused_and_nothing_is_sent(client, typed):
    assert client.post(ASK, {"email": typed}).status_code == 400
    assert OutboxMail.objects.count() == 0


def test_asking_too_often_is_told_to_wait(client, settings):
    settings.REDIS_URL, settings.RATES = "", settings.RATES | {"reset": "1/hour"}

    assert [client.post(ASK, {"email": "a@example.org"}).status_code for _ in range(2)] == [200, 429]


# ── Registering ───────────────────────────────────────────────────────────────────────────────────────────────────────


def ask(client, event, **fields):
    return client.post(f"/e/{event.pk}/register/mail/", GRACE | fields)


def test_asking_for_a_seat_says_the_same_and_costs_the_same_for_every_address(make_event, people):
    event, seen, work = make_event(), [], []
    for address in ADDRESSES:
        with CaptureQueriesContext(connection) as queries:
            page = ask(BrowserClient(), event, email=address)
        seen.append((page.status_code, page.content))
        work.append([query["sql"].split()[0] for query in queries.captured_queries])

    assert (seen, work, seen[0][0]) == ([seen[0]] * 3, [work[0]] * 3, 200)
    mails = OutboxMail.objects.order_by("pk")
    assert [(mail.recipient, mail.forget) for mail in mails] == [(address, True) for address in ADDRESSES]
    assert User.objects.filter(email=ADDRESSES[2]).count() == 0


def test_the_button_behind_the_link_makes_the_account_and_takes_the_seat(client, make_event):
    event = make_event(capacity=1)
    ask(client, event)
    path, token = link_of("registration_link")
    page = client.get(path, follow=True)
    assert ("grace@example.org" in page.text, Registration.objects.count(), whoever(client)) == (True, 0, None)

    page = client.post(REGISTER, {"token": token}, follow=True)

    grace = User.objects.get(email="grace@example.org")
    assert (grace.get_full_name(), grace.timezone, grace.email_verified) == ("Grace Hopper", "Asia/Tokyo", True)
    assert grace.has_usable_password() is False
    assert ("You have a seat." in page.text, whoever(client)) == (True, grace.email)
    assert event.registrations.get().attendee == grace


def test_two_tabs_and_the_way_back_take_one_seat(client, make_event):
    event = make_event()
    ask(client, event)
    path, token = link_of("registration_link")
    client.get(path)

    answers = [client.post(REGISTER, {"token": token}), client.post(REGISTER, {"token": token}), client.get(REGISTER)]
    answers.append(client.get(path, follow=True))
    own = f"/me/registrations/{event.registrations.get().pk}/"

    assert [answer["Location"] for answer in (answers[0], answers[1])] == [own] * 2
    assert (answers[2]["Location"], answers[3].redirect_chain[-1][0]) == ("/me/", own)
    assert BrowserClient().post(REGISTER, {"token": token}).status_code == 400


def test_who_has_an_account_is_registered_with_it_and_asked_for_no_password(client, make_event, make_user):
    event, ada = make_event(), make_user(email=GRACE["email"], email_verified=True, first_name="Ada")
    ask(client, event)
    client.post(REGISTER, {"token": link_of("registration_link")[1]})

    ada.refresh_from_db()
    assert (event.registrations.get().attendee, ada.first_name, ada.has_usable_password()) == (ada, "Ada", True)


def test_an_account_that_a_stranger_opened_with_the_address_is_taken_over(client, log_in, make_event, make_user):
    event, mallory = make_event(), make_user(email=GRACE["email"])
    theirs = log_in(mallory)
    ask(client, event)
    page = client.post(REGISTER, {"token": link_of("registration_link")[1]}, follow=True)

    mallory.refresh_from_db()
    assert (mallory.has_usable_password(), "somebody else may have set them" in page.text) == (False, True)
    assert (whoever(client), whoever(theirs)) == (GRACE["email"], None)


def test_an_event_with_questions_leads_to_them_before_a_seat_is_taken(client, make_event):
    event = make_event(question_count=1)
    Question.objects.create(event=event, label="Food?", type="text", required=True, position=1)
    ask(client, event)

    answer = client.post(REGISTER, {"token": link_of("registration_link")[1]})

    assert (answer["Location"], whoever(client)) == (f"/e/{event.pk}/register/", GRACE["email"])
    assert event.registrations.count() == 0


def test_who_comes_too_late_is_logged_in_and_hears_why(client, make_event, register):
    event = make_event(capacity=1)
    ask(client, event)
    register(event)
    page = client.post(REGISTER, {"token": link_of("registration_link")[1]}, follow=True)

    assert ("Every seat of this event is taken." in page.text, whoever(client)) == (True, GRACE["email"])


@pytest.mark.parametrize("wrong", ["purpose", "forged", "old", "shut", "deleted"])
def test_a_link_to_a_seat_that_is_not_good_any_more_takes_none(client, make_event, make_user, monkeypatch, wrong):
    event = make_event(deleted_at="2020-01-01T00:00Z" if wrong == "deleted" else None)
    visitor = links.Visitor(event_id=event.pk, address=GRACE["email"], first_name="G", last_name="", timezone="UTC")
    then = time.time() - (24 * 3600 + 1 if wrong == "old" else 0)
    with monkeypatch.context() as patch:
        patch.setattr("django.core.signing.time.time", lambda: then)
        token = links.mint_visitor(visitor)
    token = {"purpose": token_of(make_user()), "forged": token[:-2] + "AA"}.get(wrong, token)
    if wrong == "shut":
        account_closing.deactivate(user_ids=[make_user(email=GRACE["email"]).pk])

    pages = [
        client.get("/e/open/", {"token": token}, follow=True),
        client.post(REGISTER, {"token": token}, follow=True),
    ]

    assert pages[1].status_code == (404 if wrong == "deleted" else 400)
    assert Registration.objects.count() == 0


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"email": "nobody"}, "This must be an e-mail address"),
        ({"first_name": ""}, "required"),
        ({"first_name": "www.evil.com"}, "A name must not hold anything that mail programs make a link of."),
        ({"last_name": "a\nb"}, "line"),
        ({"first_name": "\x00"}, "Null characters are not allowed."),
        ({"last_name": "x" * 151}, "150"),
    ],
)
def test_a_refused_form_of_a_visitor_says_why_and_loses_nothing(client, make_event, typed, sentence):
    page = ask(client, make_event(), **typed)

    assert (page.status_code, sentence in page.text, OutboxMail.objects.count()) == (400, True, 0)
    kept = {name: value for name, value in GRACE.items() if name not in typed}
    assert [f'value="{value}"' in page.text for value in kept.values()] == [True] * len(kept)


@pytest.mark.parametrize(("state", "status"), [("cancelled", 409), ("draft", 404), ("full", 409), ("over", 409)])
def test_nobody_is_mailed_about_an_event_that_takes_nobody(client, make_event, now, state, status):
    fields = {"full": {"capacity": 1, "seats_taken": 1}, "over": {"date": now.replace(year=2020)}}
    page = ask(client, make_event(**fields.get(state, {"status": state})))

    assert (page.status_code, OutboxMail.objects.count()) == (status, 0)


def test_a_form_of_a_visitor_without_its_token_sends_nothing(make_event):
    client = BrowserClient(enforce_csrf_checks=True)

    assert (ask(client, make_event()).status_code, OutboxMail.objects.count()) == (403, 0)
    assert client.post(REGISTER, {"token": "x"}).status_code == 403


def test_who_is_logged_in_needs_no_mail(log_in, make_event, make_user):
    event = make_event()
    answer = ask(log_in(make_user()), event)

    assert (answer["Location"], OutboxMail.objects.count()) == (f"/e/{event.pk}/", 0)


def test_an_address_that_its_account_has_just_left_opens_no_other_account(make_event, make_user, now):
    event, ada = make_event(), make_user()
    ada.former_addresses.create(address=GRACE["email"], until=now.replace(year=now.year + 1))
    visitor = links.Visitor(event_id=event.pk, address=GRACE["email"], first_name="G", last_name="", timezone="UTC")
    token = links.mint_visitor(visitor)

    page = BrowserClient().post(REGISTER, {"token": token})

    assert (page.status_code, User.objects.filter(email=GRACE["email"]).exists()) == (400, False)
    assert visitors.look(token=token) == visitor  # what was refused is not used up


def test_the_mail_to_an_address_that_nobody_verified_has_no_link_but_ours(client, make_event, now):
    event = make_event(title="Win at evil.example", location="https://evil.example")
    ask(client, event)
    mail = OutboxMail.objects.get()
    content = rendering.write(payload.load(mail.kind, mail.payload))

    assert content.subject == "One more step to your seat"
    assert ("evil.example" in content.text + content.html, "evil[.]example" in content.text) == (False, True)
    assert "/users/not-me/?token=" in content.text
    assert Event.objects.get().title == "Win at evil.example"
