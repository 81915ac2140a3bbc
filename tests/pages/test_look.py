"""Every page in a real browser, on a phone and on a desk, by day and by night: nobody meets a barrier."""
# The rows are made once for all: to open a browser takes longer than to look at a page.

import os
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from django.urls import reverse

from jointoit.accounts import keys, profile, tokens
from jointoit.accounts.callers import Caller
from jointoit.checkin import door
from jointoit.checkin.reading import Presented
from jointoit.events import door_passes, questions, team
from jointoit.mail import links
from jointoit.organizing import announcements, transfers
from tests.browser import COLOURS, EVERYTHING, barriers, picture

pytestmark = pytest.mark.django_db(transaction=True)
#: The admin's colours change slowly.
SETTLED = "Promise.allSettled(document.getAnimations().map(each => each.finished)).then(() => null)"
SIZES = {"phone": {"width": 390, "height": 844}, "desk": {"width": 1280, "height": 800}}
PICTURES = os.environ.get("PICTURES", "")  # the folder for pictures
PICTURED = os.environ.get("PICTURED", "")  # the pages of which there shall be some; all unless told


@pytest.fixture
def scene(make_user, make_event, register, now):
    """Paths by name: those of anybody, of who has no password, and of an organizer who has a seat elsewhere."""
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
        tags=["computers"], ends_at=now + timedelta(days=7, hours=2), allow_transfers=True, **zone,
    )  # fmt: skip
    asking = make_event(title="Dinner for all", allow_transfers=True, organizer=ada, location="Kitchen")
    options = ["vegan", "with fish", "whatever there is"]
    asked = [
        questions.add(
            caller=Caller(each.organizer), event_id=each.pk, fields={"label": label, "type": kind} | more, now=now
        )
        for each in (other, asking)
        for label, kind, more in (
            ("What do you eat?", "choice", {"options": options, "help": "We cook for all."}),
            ("What shall we bring?", "choices", {"options": options}),
            ("Until when do you stay?", "date", {}),
            ("I agree that pictures are taken", "consent", {}),
        )
    ]  # fmt: skip
    other.refresh_from_db()
    seat = register(other, ada, answered={str(asked[0].pk): "vegan"})
    given = register(other, guest)
    offer = transfers.offer(caller=Caller(guest), registration_id=given.pk, email=ada.email, now=now)
    eater = register(asking, guest, answered={str(asked[4].pk): "vegan", str(asked[5].pk): options[:2]})
    announcements.announce(
        caller=Caller(ada),
        event_id=asking.pk,
        subject="Bring a cup",
        text="There will be tea.",
        to=["confirmed"],
        now=now,
    )
    tokens.issue(user=ada, now=now, device="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
    full.memberships.create(owner=full.organizer, member=ada, role="door", since=now)
    profile.update(user=ada, values={"email": "lovelace@example.org"}, now=now)
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
    visitor = links.Visitor(
        event_id=other.pk, address="joan@example.org", first_name="Joan", last_name="Clarke", timezone="UTC"
    )
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
        "login-link": of("login-link"),
        "login-link-old": of("login-open"),
        "embed": of("embed", full.pk),
        "embed-arabic": of("embed", asks.pk),
        "embed-none": of("embed", 999_999),
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
        "login-confirm": links.address_of("log_in", links.mint("log_in", **account)),
        "register-confirm": links.visitor_address(links.mint_visitor(visitor)),
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
        "calendar": of("calendar"),
        "invitations": of("invitations"),
        "transfer": links.transfer_address(links.mint_transfer(offer.pk)),
        "register": of("register", asking.pk),
        "manage-question": of("manage-question", asking.pk, asked[4].pk),
        "manage-person": of("manage-person", asking.pk, eater.pk),
        **{f"asking-{name}": of(f"manage-{name}", asking.pk) for name in ("questions", "announcements", "guest")},
        "manage-duplicate": of("manage-duplicate", event.pk),
        "event-mine": of("event-short", other.pk),
        "logout": of("logout"),
        **{f"manage-{name}": of(f"manage-{name}", event.pk) for name in about_event},
        "manage": of("manage"),
        "door": of("door", event.pk) + "?q=grace",
        "manage-new": of("manage-new"),
        "manage-asks": of("manage-event", asks.pk),
        "manage-pending": of("manage-people", asks.pk) + "?status=pending",
    }
    alan = make_user(username="alan", email_verified=True)  # who came by a link and has no password
    alan.set_unusable_password()
    alan.save()
    without = {"account-without": of("account"), "close-without": of("close-account")}
    return {None: public, alan: without, ada: private}


def of(name, *args):
    return reverse(f"page-{name}", args=args)


def account_of(user):
    return {"user_id": user.pk, "token_epoch": user.token_epoch, "address": user.email}


@pytest.mark.parametrize("size", SIZES)
def test_no_page_has_a_barrier_or_needs_to_be_pushed_sideways(open_browser, live_server, settings, scene, size):
    found = {}

    def look(page, name):
        page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        page.wait_for_function("document.documentElement")  # a page that was opened may be followed by another
        for scheme, rules in (("light", EVERYTHING), ("dark", COLOURS)):
            page.emulate_media(color_scheme=scheme)
            page.evaluate(SETTLED)
            shot = f"{name}-{size}-{scheme}"
            if PICTURES and (not PICTURED or shot in PICTURED.split(",")):
                picture(page, Path(PICTURES), shot)
            wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            found[shot] = [*barriers(page, rules), *([f"{wide} px too wide"] if wide > 0 else [])]

    for user, paths in scene.items():
        page = open_browser(user, viewport=SIZES[size]).new_page()
        for name, path in paths.items():
            page.goto(path.replace("http://127.0.0.1:8000", ""))
            look(page, name)
    page.goto(paths["asking-announcements"])
    page.get_by_label("Subject").fill("Bring a cup")
    page.get_by_label("Text").fill("There will be tea.")
    page.get_by_role("button", name="See who gets it").click()
    look(page, "announcement")
    page.goto(paths["manage-pending"])
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Cancel").click()
    look(page, "step")

    assert {what: wrong for what, wrong in found.items() if wrong} == {}
