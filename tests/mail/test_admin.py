import html
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from jointoit.accounts.models import User
from jointoit.mail import send_control
from jointoit.mail.messages import EventReminder, PasswordReset, RegistrationConfirmed
from jointoit.mail.models import OutboxMail, SendControl
from tests.mail.conftest import Clock
from tests.mail.samples import sample

State = OutboxMail.State
LIST = "admin:mail_outboxmail_changelist"
Act = Callable[..., str]


@pytest.fixture
def operator(make_user: Callable[..., User]) -> Client:
    client = Client()
    client.force_login(make_user(is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def act(operator: Client) -> Act:
    """Choose mails in the list and an action, and agree to what is asked; return the page that answers."""

    def act(action: str, *mails: OutboxMail) -> str:
        data = {"action": action, "_selected_action": [mail.pk for mail in mails]}
        asked = re.search(r'name="people" value="(\d+)"', operator.post(reverse(LIST), data).text)
        assert asked
        return operator.post(reverse(LIST), data | {"people": asked[1]}, follow=True).text

    return act


def page(client: Client, mail: OutboxMail) -> str:
    return client.get(reverse("admin:mail_outboxmail_change", args=[mail.pk])).content.decode()


def test_a_mail_is_shown_as_text_and_as_a_page_without_rights(
    operator: Client, promise: Callable[..., OutboxMail]
) -> None:
    shown = page(operator, promise("ada", sample(RegistrationConfirmed)))

    assert "Confirmed: Looms &amp; &lt;b&gt;Engines" in shown
    assert "<iframe sandbox srcdoc=&#x27;" not in shown
    assert "<iframe sandbox srcdoc='&lt;!DOCTYPE html&gt;" in shown
    assert "<b>Engines" not in shown


def test_an_operator_sees_no_token(operator: Client, promise: Callable[..., OutboxMail]) -> None:
    shown = html.unescape(html.unescape(page(operator, promise("ada", sample(PasswordReset)))))
    reminder = html.unescape(html.unescape(page(operator, promise("bob", sample(EventReminder)))))

    assert (shown.count("token=%E2%80%A2"), shown.count("token=")) == (4, 4)
    assert (reminder.count("token=%E2%80%A2"), reminder.count("token=")) == (6, 6)


def test_a_mail_that_cannot_be_written_is_shown_all_the_same(
    operator: Client, promise: Callable[..., OutboxMail]
) -> None:
    mail = promise()
    OutboxMail.objects.update(payload={}, last_answer="TypeError: missing")

    assert "cannot be written" in page(operator, mail)


def test_what_was_promised_cannot_be_edited_or_removed(operator: Client, promise: Callable[..., OutboxMail]) -> None:
    mail = promise()
    answers = [
        operator.post(reverse("admin:mail_outboxmail_change", args=[mail.pk]), {"recipient": "x@evil.example"}),
        operator.post(reverse("admin:mail_outboxmail_delete", args=[mail.pk]), {"post": "yes"}),
        operator.get(reverse("admin:mail_outboxmail_add")),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]


def test_dead_and_expired_mail_is_tried_again_for_the_full_time(
    act: Act, promise: Callable[..., OutboxMail], clock: Clock
) -> None:
    dead, expired, sent = promise("dead"), promise("expired", expires_at=clock.now), promise("sent")
    for mail, state in ((dead, State.DEAD), (expired, State.EXPIRED), (sent, State.SENT)):
        OutboxMail.objects.filter(pk=mail.pk).update(state=state, give_up_at=clock.now, failures=3)

    assert "2 will be tried again." in act("try_again", dead, expired, sent)
    assert list(OutboxMail.objects.order_by("pk").values_list("state", "failures", "expires_at")) == [
        (State.PENDING, 0, None), (State.PENDING, 0, None), (State.SENT, 3, None),
    ]  # fmt: skip
    dead.refresh_from_db()
    assert dead.give_up_at > clock.now + timedelta(days=4)


def test_all_mail_is_held_and_released_also_while_there_is_none(operator: Client, db: None) -> None:
    def turned(switch: str) -> str:
        return operator.post(reverse(LIST), {"sending": switch}, follow=True).content.decode()

    held = turned("hold")
    assert ("All mail is held since" in held, "Release all mail" in held, "Hold all mail" in held) == (
        True,
        True,
        False,
    )
    assert SendControl.objects.filter(held_at__isnull=False).exists()
    released = turned("release")
    assert ("All mail is held since" in released, "Hold all mail" in released) == (False, True)


def test_an_ill_mail_server_is_shown(operator: Client, clock: Clock) -> None:
    send_control.current(now=clock.now)
    send_control.trip(answer="421 Closing", now=clock.now)

    assert "421 Closing" in operator.get(reverse(LIST)).content.decode()


def test_who_may_only_look_is_offered_no_actions(
    make_user: Callable[..., User], promise: Callable[..., OutboxMail]
) -> None:
    promise()
    looker = make_user(is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_outboxmail"))
    client = Client()
    client.force_login(looker)

    client.post(reverse(LIST), {"sending": "hold"})
    shown = client.get(reverse(LIST)).content.decode()

    assert ("try_again" in shown, "Hold all mail" in shown, SendControl.objects.exclude(held_at=None).exists()) == (
        False, False, False,
    )  # fmt: skip
