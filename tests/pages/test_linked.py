"""The links of mails about a seat: each does what its sentence says, for its reader alone, as long as it may."""

from datetime import timedelta

import pytest
from django.urls import reverse

from jointoit.accounts.callers import Caller
from jointoit.events import booking, scheduling
from jointoit.events.models import Event
from jointoit.mail import links, payload, rendering
from jointoit.mail.models import OutboxMail

pytestmark = pytest.mark.django_db


@pytest.fixture
def seat(make_event, register):
    return register(make_event(capacity=1, waitlist=True))


def path_of(registration, name="linked-registration", address=None):
    return reverse(
        f"page-{name}", args=[links.mint_registration(registration.pk, address or registration.attendee.email)]
    )


def test_the_link_shows_where_one_stands_without_logging_in(client, seat):
    page = client.get(path_of(seat))

    assert (page.status_code, "You have a seat." in page.text, "<svg" in page.text) == (200, True, True)
    assert (page["Referrer-Policy"], page["X-Robots-Tag"], page["Cache-Control"]) == (
        "no-referrer",
        "noindex",
        "no-store",
    )


def test_opening_the_links_changes_nothing(client, seat, statuses):
    for name in ("linked-registration", "linked-cancel"):
        client.get(path_of(seat, name))
        client.head(path_of(seat, name))

    assert statuses(seat) == ["confirmed"]


def test_the_button_gives_the_seat_to_the_next_in_line(client, seat, register, statuses):
    following = register(seat.event)

    answer = client.post(path_of(seat, "linked-cancel"))

    assert (answer.status_code, answer["Location"]) == (302, path_of(seat))
    assert statuses(seat, following) == ["cancelled", "confirmed"]


def test_a_second_press_says_that_it_is_done(client, seat, mails):
    pages = [client.post(path_of(seat, "linked-cancel"), follow=True) for _ in range(2)]

    assert ["Your registration is cancelled." in page.text for page in pages] == [True, True]
    assert mails(seat.attendee).count("registration_cancelled_by_attendee") == 1


@pytest.mark.parametrize("name", ["linked-registration", "linked-cancel"])
@pytest.mark.parametrize("purpose", ["unsubscribe", "ticket", "invitation", "forged", "person", "address"])
def test_a_link_of_another_purpose_or_person_opens_nothing(client, seat, make_user, statuses, name, purpose):
    token = {
        "unsubscribe": links.mint_unsubscribe(seat.pk),
        "ticket": links.mint_ticket(seat.pk, 1),
        "invitation": links.mint_invitation(seat.pk),
        "forged": links.mint_registration(seat.pk, seat.attendee.email)[:-2] + "AA",
        "person": links.mint_registration(seat.pk, make_user().email),
        "address": links.mint_registration(seat.pk + 1_000, seat.attendee.email),
    }[purpose]
    address = reverse(f"page-{name}", args=[token])

    pages = [client.get(address), client.post(address)]

    assert [(page.status_code, "This link is not valid" in page.text) for page in pages] == [(400, True)] * 2
    assert statuses(seat) == ["confirmed"]


def test_the_link_dies_with_the_address_it_was_sent_to(client, seat):
    address = path_of(seat)
    seat.attendee.email = "new@example.org"
    seat.attendee.save()

    assert client.get(address).status_code == 400


@pytest.mark.parametrize(("days", "status"), [(29, 200), (31, 400)])
def test_the_link_expires_a_month_after_the_event(client, seat, now, days, status):
    Event.objects.filter(pk=seat.event_id).update(
        date=now - timedelta(days=days + 1), ends_at=now - timedelta(days=days)
    )

    assert client.get(path_of(seat)).status_code == status


def test_nothing_is_cancelled_once_the_event_is_over(client, seat, now, statuses):
    Event.objects.filter(pk=seat.event_id).update(date=now - timedelta(days=2), ends_at=now - timedelta(days=1))

    page = client.get(path_of(seat, "linked-cancel"))

    assert ("You had a seat." in page.text, "<button" in page.text) == (True, False)


def test_after_the_event_is_deleted_the_page_says_what_became_of_it(client, seat, now):
    scheduling.delete(event_id=seat.event_id, caller=Caller(seat.event.organizer), now=now)

    page = client.get(path_of(seat))

    assert "The event is cancelled." in page.text
    assert reverse("page-event-short", args=[seat.event_id]) not in page.text


def test_the_ticket_of_a_link_is_void_once_the_seat_is_gone(client, seat, now):
    ticket = reverse("page-ticket", args=[links.mint_ticket(seat.pk, 1)])
    before = client.get(ticket)
    booking.set_status(registration_id=seat.pk, caller=Caller(seat.attendee), status="cancelled", now=now)

    assert ("<svg" in before.text, before["Cache-Control"]) == (True, "no-store")
    assert "This ticket is void." in client.get(ticket).text
    assert client.get(f"{ticket}ticket.png").status_code == 409


def test_the_picture_of_a_ticket_is_kept_as_a_file(client, seat):
    picture = client.get(reverse("page-ticket-picture", args=[links.mint_ticket(seat.pk, 1)]))

    assert (picture["Content-Type"], picture.content[:4]) == ("image/png", b"\x89PNG")
    assert picture["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("url", "kind"), [("/users/password-reset/confirm/", "reset_password"), ("/users/verify-email/", "verify_email")]
)
def test_a_dead_link_says_so_before_anything_is_typed_and_leads_on(client, make_user, url, kind):
    user = make_user()
    token = links.mint(kind, user_id=user.pk, token_epoch=user.token_epoch, address="old@example.org")
    user.end_access(keys=False).save()

    page = client.get(url, {"token": token})

    assert ("This link is used, or too old" in page.text, "<form" in page.text) == (True, False)
    further = {"reset_password": reverse("page-password-reset"), "verify_email": reverse("page-account")}[kind]
    assert f'href="{further}"' in page.text


def test_every_mail_about_a_seat_leads_to_its_own_page(seat):
    content = rendering.write(payload.load(*OutboxMail.objects.values_list("kind", "payload").get()))

    assert path_of(seat) in content.html
    assert path_of(seat, "linked-cancel") in content.text
