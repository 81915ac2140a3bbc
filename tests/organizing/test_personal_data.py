"""Every column of every table is declared: exported and erased with its person, or saying nothing of anybody.

A new column fails here until somebody has thought of both.
"""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model

from jointoit.accounts import account_closing, export
from jointoit.accounts.models import ApiKey, CalendarAddress, FormerAddress, LoginPlace, RefreshToken, User
from jointoit.api.models import IdempotencyKey
from jointoit.checkin.models import Scan
from jointoit.events.models import DoorPass, Event, Invitation, Membership, Registration
from jointoit.journal.models import Fact
from jointoit.mail import stops
from jointoit.mail.models import MailStop, OutboxMail
from jointoit.organizing.models import Announcement, Report, Transfer
from jointoit.webhooks.models import Message, Webhook

#: What becomes of what is exported once the account is closed. ERASED: the row is gone, or the value is another.
ERASED = "erased"
#: It leads to the account's row, in which nothing says any more who it was.
TIE = "tie"
#: It belongs to an event, for all who were part of it, and says nothing of a person but what they told everybody.
PUBLIC = "public"
#: What is not exported: it says nothing of a person; …
NOTHING = "nothing"
#: … it opens something, and is kept as a digest at most; …
SECRET = "secret"
#: … or it is a copy of what is exported from elsewhere. Both are erased.
COPY = "copy"

#: By table: in which part of an export its rows are, and by fate its columns. The others are NOTHING.
DECLARED: dict[str, tuple[str, dict[str, str]]] = {
    "accounts.User": ("account", {
        ERASED: "username email email_verified pending_email first_name last_name timezone is_staff is_superuser "
                "is_active last_login",
        TIE: "id",
        PUBLIC: "date_joined",
        SECRET: "password",
        NOTHING: "pending_agreed pending_confirmed token_epoch",
    }),
    "accounts.SpentToken": ("", {NOTHING: "digest until"}),
    "accounts.User_groups": ("", {NOTHING: "id user_id group_id"}),  # the names are in the account
    "accounts.User_user_permissions": ("", {NOTHING: "id user_id permission_id"}),
    "accounts.RefreshToken": ("sessions", {
        ERASED: "family origin device began_at issued_at expires_at used_at", NOTHING: "jti user_id",
    }),
    "accounts.ApiKey": ("keys", {
        ERASED: "id name scopes events created_at expires_at revoked_at last_used_at",
        SECRET: "digest",
        NOTHING: "user_id",
    }),
    "accounts.CalendarAddress": ("calendar", {ERASED: "made_at", SECRET: "digest", NOTHING: "user_id"}),
    "accounts.FormerAddress": ("former_addresses", {ERASED: "address until", NOTHING: "id user_id"}),
    "accounts.LoginPlace": ("login_places", {ERASED: "origin seen_at", NOTHING: "id user_id"}),
    "admin.LogEntry": ("admin_log", {
        ERASED: "object_repr change_message", TIE: "user_id object_id", PUBLIC: "action_time",
        NOTHING: "id content_type_id action_flag",
    }),
    "api.IdempotencyKey": ("repeats", {
        ERASED: "caller status created_at", COPY: "headers body", NOTHING: "scope fingerprint",
    }),
    "api.RateBucket": ("", {NOTHING: "key tat seen allowed"}),
    "auth.Group": ("", {NOTHING: "id name"}),
    "auth.Group_permissions": ("", {NOTHING: "id group_id permission_id"}),
    "auth.Permission": ("", {NOTHING: "id name content_type_id codename"}),
    "contenttypes.ContentType": ("", {NOTHING: "id app_label model"}),
    # A session holds the id of an account, a digest that closing the account makes worthless, and when it began.
    "sessions.Session": ("", {NOTHING: "session_key session_data expire_date"}),
    "checkin.Scan": ("scans", {
        TIE: "registration_id account_id",
        PUBLIC: "event_id result reason gate scanned_at",
        NOTHING: "id entered received_at first_id actor_kind actor_id pass_id content undone_at undone_by_kind "
                 "undone_by_id",
    }),
    "events.Event": ("events", {
        ERASED: "contact",
        TIE: "organizer_id",
        PUBLIC: "id title description date location tags status created_at deleted_at",
        NOTHING: "title_folded ends_at timezone location_folded capacity waitlist requires_approval verified_only "
                 "registration_opens_at registration_closes_at checkin_opens_at checkin_closes_at cancel_until "
                 "allow_transfers organizer_news question_count seats_taken waiting queue_tail revision updated_at "
                 "reminded_at erased_at hidden_status",
    }),
    "events.Registration": ("registrations", {
        ERASED: "answers",
        TIE: "attendee_id",
        PUBLIC: "id event_id status registered_at updated_at wants_reminder",
        NOTHING: "queue_number revision reminded_at ticket_issue has_event_uid",
    }),
    "events.Question": ("", {NOTHING: "id event_id label help type required options position archived"}),
    "events.Membership": ("roles", {ERASED: "id owner_id member_id event_id role since"}),
    "events.Invitation": ("invitations", {
        ERASED: "owner_id email role event_id created_at", NOTHING: "id expires_at settled_at",
    }),
    "events.DoorPass": ("door_passes", {
        ERASED: "event_id label created_at expires_at revoked_at", SECRET: "digest", NOTHING: "id",
    }),
    "journal.Fact": ("history", {
        TIE: "actor_kind actor_id registration_id", PUBLIC: "type at event_id",
        NOTHING: "id before after request_id transaction public",
    }),
    "journal.FeedState": ("", {NOTHING: "id home era pruned pruned_transaction pruned_id"}),
    "mail.OutboxMail": ("mails", {
        ERASED: "recipient payload last_answer",
        PUBLIC: "kind state created_at settled_at",
        NOTHING: "id topic dedupe_key message_id priority attempt failures not_before expires_at give_up_at claim "
                 "lease_until held_at forget",
    }),
    "mail.MailStop": ("mail_stops", {ERASED: "digest topic created_at", NOTHING: "id"}),
    "mail.SendControl": ("", {
        NOTHING: "id held_at held_because down_since down_answer probe_at paced_until home place claims looked_at",
    }),
    "organizing.Announcement": ("announcements", {
        TIE: "author_id", PUBLIC: "event_id subject text created_at", NOTHING: "id to recipients",
    }),
    "organizing.Transfer": ("transfers", {ERASED: "registration_id email created_at settled_at", NOTHING: "id"}),
    "organizing.Report": ("reports", {
        ERASED: "reporter_id text", PUBLIC: "event_id kind created_at settled_at", NOTHING: "id",
    }),
    "organizing.EventNews": ("", {NOTHING: "event_id asked came queued cancelled since fact told_at"}),
    "organizing.NewsPosition": ("", {NOTHING: "id place"}),
    "webhooks.Position": ("", {NOTHING: "id place"}),
    "webhooks.Webhook": ("webhooks", {
        ERASED: "id owner_id url types events enabled created_at",
        SECRET: "seed previous_seed",
        NOTHING: "previous_until disabled_reason failures failing_since warned_at paused_until last_success_at",
    }),
    "webhooks.Message": ("webhook_messages", {
        ERASED: "webhook_id type event_id body state status answer created_at settled_at",
        NOTHING: "id message_id fact_id attempt milliseconds not_before give_up_at claim lease_until",
    }),
}  # fmt: skip


def columns(model: type[Model], *fates: str) -> list[str]:
    _, declared = DECLARED[model._meta.label]
    return [name for fate in fates for name in declared.get(fate, "").split()]


def test_each_column_is_declared_once():
    actual = {
        model._meta.label: sorted(field.attname for field in model._meta.concrete_fields)
        for model in apps.get_models(include_auto_created=True)
    }

    assert {label: sorted(" ".join(fates.values()).split()) for label, (_, fates) in DECLARED.items()} == actual


@pytest.fixture
def ada(make_user: Callable[..., User], now: Any) -> User:
    return make_user(
        username="ada", email="ada@example.org", first_name="Ada", last_name="Lovelace", timezone="Europe/Berlin",
        email_verified=True, pending_email="new@example.org", is_staff=True, is_superuser=True, last_login=now,
    )  # fmt: skip


@pytest.fixture
def rows(ada: User, make_user: Any, make_event: Any, now: Any) -> list[Model]:
    """One row of each table that says something of ada, with a value in each column that does."""
    friend, day = make_user(), timedelta(days=1)
    User.objects.create_superuser("root", "root@example.org")  # who stays
    own = make_event(
        organizer=ada, description="About", contact="ada@office.example", tags=["x"], date=now - 9 * day, deleted_at=now
    )
    held = Registration.objects.create(
        event=make_event(), attendee=ada, status="confirmed", answers={"1": "vegan"}, registered_at=now, updated_at=now
    )
    Event.objects.filter(pk=held.event_id).update(seats_taken=1)
    webhook = Webhook.objects.create(
        owner=ada, url="https://ada.example/", types=["event.created"], events=[own.pk], seed="s", previous_seed="p",
        created_at=now,
    )  # fmt: skip
    account = ContentType.objects.get_for_model(User)
    log = LogEntry.objects.create(
        user=ada, content_type=account, object_id=str(ada.pk), object_repr="ada", action_flag=CHANGE,
        change_message="Changed ada@example.org.",
    )  # fmt: skip
    return [
        ada, own, held, webhook, log,
        RefreshToken.objects.create(
            jti="a", family=uuid4(), user=ada, origin="b", device="Firefox", began_at=now, issued_at=now,
            expires_at=now + day, used_at=now,
        ),
        ApiKey.objects.create(
            user=ada, name="Printer", digest="d", scopes=["feed"], events=[own.pk], created_at=now,
            expires_at=now + day, revoked_at=now, last_used_at=now,
        ),
        FormerAddress.objects.create(user=ada, address="old@example.org", until=now + day),
        LoginPlace.objects.create(user=ada, origin="c", seen_at=now),
        CalendarAddress.objects.create(user=ada, digest="e", made_at=now),
        IdempotencyKey.objects.create(
            scope=uuid4(), caller=ada.pk, fingerprint="f", status=201, headers={"a": "b"}, body=b"ada"
        ),
        Scan.objects.create(
            id=uuid4(), event=held.event, registration=held, result="refused", reason="reissued", gate="left",
            entered=False, scanned_at=now, received_at=now, actor_kind="door", account_id=ada.pk, content="x",
        ),
        Membership.objects.create(owner=friend, event=held.event, member=ada, role="door", since=now),
        Invitation.objects.create(
            owner=friend, event=held.event, email="OLD@example.org", role="door", created_at=now, expires_at=now
        ),
        DoorPass.objects.create(
            event=own, label="Tom", digest="e", created_at=now, expires_at=now, revoked_at=now
        ),
        Fact.objects.create(
            type="registration.confirmed", at=now, actor_kind="attendee", actor_id=ada.pk, event_id=held.event_id,
            registration_id=held.pk, after={"status": "confirmed"},
        ),
        OutboxMail.objects.create(
            kind="welcome", payload={"to": {"address": "ada@example.org"}}, recipient="ada@example.org",
            dedupe_key="user:0:welcome", message_id="<a>", priority=5, state="sent", give_up_at=now, settled_at=now,
            last_answer="250 ada@example.org",
        ),
        MailStop.objects.create(digest=stops.digest_of("ada@example.org"), topic="event:7"),
        Announcement.objects.create(
            event=own, author=ada, subject="News", text="Upstairs", to=["confirmed"], recipients=1, created_at=now
        ),
        Transfer.objects.create(registration=held, email="friend@example.org", created_at=now, settled_at=now),
        Report.objects.create(
            event=held.event, reporter=ada, kind="spam", text="I know", created_at=now, settled_at=now
        ),
        Message.objects.create(
            webhook=webhook, type="event.created", event_id=own.pk, body="{}", status=200, answer="ok", state="sent",
            give_up_at=now, settled_at=now,
        ),
    ]  # fmt: skip


def plain(value: Any) -> Any:
    return json.loads(json.dumps(value, cls=DjangoJSONEncoder))


def values(row: Model, *fates: str) -> dict[str, Any]:
    return {name: getattr(row, name) for name in columns(type(row), *fates)}


def test_what_is_personal_is_exported(ada: User, rows: list[Model]) -> None:
    document = plain(export.document(ada))

    assert {type(row)._meta.label for row in rows} == {label for label, (part, _) in DECLARED.items() if part}
    for row in rows:
        row.refresh_from_db()
        wanted = values(row, ERASED, TIE, PUBLIC)
        assert not [name for name, value in wanted.items() if value in (None, "", [], {})], row
        part, _ = DECLARED[row._meta.label]
        found = [document[part]] if part == "account" else document[part]
        assert plain(wanted) in [{name: each.get(name) for name in wanted} for each in found], row


def test_what_is_personal_is_erased_with_the_account(ada: User, rows: list[Model], now: Any) -> None:
    erased = [(row, plain(values(row, ERASED, SECRET))) for row in rows]

    account_closing.close(user=ada, password="correct-horse-9", now=now)

    for row, before in erased:
        after = type(row)._default_manager.filter(pk=row.pk).first()
        left = plain(values(after, ERASED, SECRET)) if after else {}
        assert {name for name in before if name in left and left[name] == before[name]} == set(), row


def test_who_only_registered_finds_nothing_of_others(make_user: Any, rows: list[Model]) -> None:
    other = export.document(make_user())

    assert {name for name, part in other.items() if part} == {"account"}


def test_who_has_not_shown_to_read_an_address_is_told_nothing_of_it(make_user: Any, rows: list[Model]) -> None:
    claimant = make_user(email="tim@example.org", email_verified=False)
    OutboxMail.objects.update(recipient=claimant.email)
    Invitation.objects.update(email=claimant.email)
    Transfer.objects.update(email=claimant.email)
    MailStop.objects.update(digest=stops.digest_of(claimant.email))

    unproved = export.document(claimant)
    User.objects.filter(pk=claimant.pk).update(email_verified=True)
    proved = export.document(User.objects.get(pk=claimant.pk))

    of_address = {"mails", "mail_stops", "invitations", "transfers"}
    assert {name for name, part in unproved.items() if part} == {"account"}
    assert {name for name, part in proved.items() if part} == {"account"} | of_address
