"""Every page in a real browser, on a phone and on a desk, by day and by night: nobody meets a barrier."""
# The rows are made once for all: to open a browser takes longer than to look at a page.

import os
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from django.urls import reverse

from jointoit.accounts import keys
from jointoit.accounts.callers import Caller
from jointoit.checkin import door
from jointoit.checkin.reading import Presented
from jointoit.events import door_passes, team
from jointoit.mail import links
from tests.browser import barriers, picture

pytestmark = pytest.mark.django_db(transaction=True)
SIZES = {"phone": {"width": 390, "height": 844}, "desk": {"width": 1280, "height": 800}}
PICTURES = os.environ.get("PICTURES", "")  # the folder for pictures
PICTURED = os.environ.get("PICTURED", "")  # the pages of which there shall be some; all unless told


@pytest.fixture
def scene(make_user, make_event, register, now):
    """Paths by name: those of who is signed in, an organizer who has a seat elsewhere, and those of anybody."""
    ada = make_user(
        username="ada", email_verified=True, first_name="Ada", last_name="Lovelace", timezone="Europe/Berlin"
    )
    guest = make_user(username="grace", first_name="Grace", last_name="Hopper")
    text = "We play till the last piece falls.\n\nBring a board: https://example.org/boards\n\nBeginners are welcome."
    zone = {"timezone": "Europe/Berlin"}
    event = make_event(
        title="Chess in the park", organizer=ada, capacity=3, waitlist=True, location="Tiergarten, Berlin",
        description=text, tags=["chess", "outdoors"], ends_at=now + timedelta(days=7, hours=3),
        checkin_opens_at=now, **zone,
    )  # fmt: skip
    full = make_event(title="An evening with a title that is rather long", capacity=1, waitlist=True, location="Hall 2")
    asks = make_event(title="سهرة مع الأصدقاء", requires_approval=True, organizer=ada, location="بيروت")
    make_event(title="A draft", organizer=ada, status="draft")
    make_event(title="Called off", status="cancelled")
    make_event(title="Open to all")
    other = make_event(
        title="Talks on old computers", organizer=guest, location="Museum of Technology, Berlin", capacity=40,
        description=text.replace("play till the last piece falls", "take three machines apart, and start two again"),
        tags=["computers"], ends_at=now + timedelta(days=7, hours=2), **zone,
    )  # fmt: skip
    seat = register(other, ada)
    register(full, guest)
    waits = register(full, ada)
    for number in range(3):
        here = Presented(id=UUID(int=number), registration=register(event).pk)
        door.admit(caller=Caller(ada), event_id=event.pk, scan=here, now=now + timedelta(minutes=9 * number))
    register(event, guest)
    register(asks), register(asks, guest)
    keys.create(user=ada, name="Badge printer", scopes=["attendees:read"], password="correct-horse-9", now=now)
    team.invite(caller=Caller(ada), event_id=event.pk, email="bob@example.org", role="door", now=now)
    team.invite(caller=Caller(guest), event_id=other.pk, email=ada.email, role="manager", now=now)
    _pass, text = door_passes.create(caller=Caller(ada), event_id=event.pk, label="Left", now=now)
    linked, account = links.mint_registration(seat.pk, ada.email), account_of(guest)
    public = {
        "events": of("events"),
        "events-none": of("events") + "?search=nothing",
        "event-full": of("event-short", event.pk),
        "event-open": of("event-short", other.pk),
        "event-arabic": of("event-short", asks.pk),
        "report": of("report", other.pk),
        "login": of("login"),
        "signup": of("signup"),
        "password-reset": of("password-reset"),
        "refused": of("event-short", 999_999),
        "linked": of("linked-registration", linked),
        "linked-cancel": of("linked-cancel", linked),
        "linked-old": of("linked-registration", "nonsense"),
        "ticket": of("ticket", links.mint_ticket(seat.pk, 1)),
        "ticket-void": of("ticket", links.mint_ticket(seat.pk, 9)),
        "verify": links.address_of("verify_email", links.mint("verify_email", **account)),
        "verify-old": links.address_of("verify_email", "nonsense"),
        "reset": links.address_of("reset_password", links.mint("reset_password", **account)),
        "reset-old": links.address_of("reset_password", "nonsense"),
        "unsubscribe": links.unsubscribe_address(links.mint_unsubscribe(seat.pk)),
        "unsubscribe-old": links.unsubscribe_address("nonsense"),
        "door-enter": of("door-enter", text),
        "front": "/",
        "admin": "/admin/login/",
        "problems": "/problems/busy/",
    }
    about_event = ("event", "people", "team", "history", "figures", "edit", "cancel", "delete")
    private = {
        "mine": of("mine"),
        "registration": of("registration", seat.pk),
        "waiting": of("registration", waits.pk),
        "cancel": of("registration-cancel", seat.pk),
        "account": of("account"),
        "close": of("close-account"),
        "invitations": of("invitations"),
        "event-mine": of("event-short", other.pk),
        "logout": of("logout"),
        **{f"manage-{name}": of(f"manage-{name}", event.pk) for name in about_event},
        "manage": of("manage"),
        "door": of("door", event.pk) + "?q=grace",
        "manage-new": of("manage-new"),
        "manage-asks": of("manage-event", asks.pk),
        "manage-pending": of("manage-people", asks.pk) + "?status=pending",
    }
    return ada, public, private


def of(name, *args):
    return reverse(f"page-{name}", args=args)


def account_of(user):
    return {"user_id": user.pk, "token_epoch": user.token_epoch, "address": user.email}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_no_page_has_a_barrier_or_needs_to_be_pushed_sideways(open_browser, live_server, settings, scene, size, scheme):
    ada, public, private = scene
    found = {}
    for user, paths in ((None, public), (ada, private)):
        page = open_browser(user, viewport=SIZES[size], color_scheme=scheme).new_page()
        for name, path in paths.items():
            page.goto(path.replace("http://127.0.0.1:8000", ""))
            if PICTURES and (not PICTURED or name in PICTURED.split(",")):
                picture(page, Path(PICTURES), f"{name}-{size}-{scheme}")
            wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            found[name] = [*barriers(page), *([f"{wide} px too wide"] if wide > 0 else [])]

    assert {name: wrong for name, wrong in found.items() if wrong} == {}
