"""What the sweeper does for organizers, and what is exported of a person from events and from this app."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from django.db.models import Q

from jointoit.accounts import export
from jointoit.accounts.models import ApiKey, RefreshToken, User
from jointoit.events.models import Event, Invitation, Membership, Registration
from jointoit.journal.models import Fact
from jointoit.mail.models import OutboxMail
from jointoit.organizing import news, retention
from jointoit.organizing import reports as reports  # hears of accounts that close
from jointoit.organizing.models import Announcement, Transfer
from jointoit.process import periodic

Rows = Iterable[Mapping[str, object]]


def keys(user: User) -> Rows:
    return ApiKey.objects.filter(user=user).values("name", "scopes", "events", "created_at", "last_used_at")


def sessions(user: User) -> Rows:
    return RefreshToken.objects.filter(user=user).values("family", "expires_at", "used_at")


def events(user: User) -> Rows:
    rows: Rows = (
        Event.objects.filter(organizer=user)
        .order_by("pk")
        .values("id", "title", "description", "date", "location", "contact", "status", "created_at", "deleted_at")
    )
    return rows


def registrations(user: User) -> Rows:
    rows: Rows = (
        Registration.objects.filter(attendee=user)
        .order_by("pk")
        .values("id", "event_id", "event__title", "status", "answers", "registered_at", "updated_at", "wants_reminder")
    )
    return rows


def roles(user: User) -> Rows:
    return Membership.objects.filter(member=user).order_by("pk").values("id", "owner_id", "event_id", "role", "since")


def invitations(user: User) -> Rows:
    mine = Q(owner=user) | Q(email__iexact=user.email)
    return Invitation.objects.filter(mine).order_by("pk").values("email", "role", "event_id", "created_at")


def mails(user: User) -> Rows:
    written = OutboxMail.objects.filter(recipient__iexact=user.email).order_by("pk")
    return written.values("recipient", "kind", "payload", "state", "created_at", "settled_at")


def announcements(user: User) -> Rows:
    written = Announcement.objects.filter(author=user).order_by("pk")
    return written.values("event_id", "subject", "text", "created_at")


def transfers(user: User) -> Rows:
    mine = Q(registration__attendee=user) | Q(email__iexact=user.email)
    return Transfer.objects.filter(mine).order_by("pk").values("registration_id", "email", "created_at", "settled_at")


def history(user: User) -> Rows:
    """What the person did; of keys what was done with them."""
    by_key = Q(actor_kind="key", actor_id__in=ApiKey.objects.filter(user=user).values("pk"))
    in_person = Q(actor_kind__in=export.IN_PERSON, actor_id=user.pk)
    return Fact.objects.filter(by_key | in_person).order_by("pk").values("type", "at", "event_id", "registration_id")


for name, part in {
    "keys": keys,
    "sessions": sessions,
    "events": events,
    "registrations": registrations,
    "roles": roles,
    "invitations": invitations,
    "mails": mails,
    "announcements": announcements,
    "transfers": transfers,
    "history": history,
}.items():
    export.register(name, part)

periodic.register(news.tell_due)
periodic.register_stoppable(retention.erase_due, every=timedelta(hours=1))
