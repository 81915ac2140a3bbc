"""What is exported of a person (`jointoit.accounts.export`), by every app: this one knows them all.

tests/organizing/test_personal_data.py says of each column of each table whether it is among it, and how it is erased.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q, QuerySet

from jointoit.accounts import export
from jointoit.accounts.models import ApiKey, CalendarAddress, FormerAddress, LoginPlace, RefreshToken, User
from jointoit.api.models import IdempotencyKey
from jointoit.checkin.models import Scan
from jointoit.events.models import DoorPass, Event, Invitation, Membership, Registration
from jointoit.journal.models import Fact
from jointoit.mail import stops
from jointoit.mail.models import MailStop, OutboxMail
from jointoit.organizing.models import Announcement, Report, Transfer
from jointoit.webhooks.models import Message, Webhook

Rows = Iterable[Mapping[str, object]]
Belongs = Callable[[User], Q]


def addresses_of(user: User) -> list[str]:
    """Those that the person has shown to read; whoever signed up with a stranger's is told nothing of the stranger."""
    present = [user.email] if user.email_verified else []
    return [*present, *user.former_addresses.values_list("address", flat=True)]


def to(field: str) -> Belongs:
    """Whose `field` is an address that the person has, or left a short time ago."""

    def belongs(user: User) -> Q:
        found = Q(pk__in=[])  # an empty Q would find everybody's
        for address in addresses_of(user):
            found |= Q(**{f"{field}__iexact": address})
        return found

    return belongs


def of(*fields: str) -> Belongs:
    """Whose `field`, one of these, is the person."""

    def belongs(user: User) -> Q:
        found = Q()
        for field in fields:
            found |= Q(**{field: user})
        return found

    return belongs


def either(*parts: Belongs) -> Belongs:
    def belongs(user: User) -> Q:
        found = Q()
        for part in parts:
            found |= part(user)
        return found

    return belongs


def done_by(user: User) -> Q:
    """Facts that name the person, or one of their keys, as who acted, and those about their registrations.

    At a door the journal names an account or a pass by its number alone; a pass is good for one event.
    """
    keys = Q(actor_kind="key", actor_id__in=ApiKey.objects.filter(user=user).values("pk"))
    registrations = Q(registration_id__in=Registration.objects.filter(attendee=user).values("pk"))
    in_person = Q(actor_kind__in=export.IN_PERSON, actor_id=user.pk)
    by_pass = Q(actor_kind="door", event_id__in=DoorPass.objects.filter(pk=user.pk).values("event"))
    return keys | registrations | in_person & ~by_pass


def stopped(user: User) -> Q:
    return Q(digest__in=[stops.digest_of(address) for address in addresses_of(user)])


def in_log(user: User) -> Q:
    """What was done in the admin by the person, or to the account."""
    account = ContentType.objects.get_for_model(User)
    return Q(user=user) | Q(content_type=account, object_id=str(user.pk))


def part(name: str, model: type[Model], belongs: Belongs, *fields: str) -> None:
    def rows(user: User) -> Rows:
        found: QuerySet[Any] = model._default_manager.filter(belongs(user)).order_by("pk")
        return found.values(*fields)

    export.register(name, rows)


part("keys", ApiKey, of("user"),
     "id", "name", "scopes", "events", "created_at", "expires_at", "revoked_at", "last_used_at")  # fmt: skip
part("sessions", RefreshToken, of("user"),
     "family", "origin", "device", "began_at", "issued_at", "expires_at", "used_at")  # fmt: skip
part("calendar", CalendarAddress, of("user"), "made_at")
part("former_addresses", FormerAddress, of("user"), "address", "until")
part("login_places", LoginPlace, of("user"), "origin", "seen_at")
part("repeats", IdempotencyKey, lambda user: Q(caller=user.pk), "caller", "status", "created_at")
part("admin_log", LogEntry, in_log, "action_time", "user_id", "object_id", "object_repr", "change_message")
part("events", Event, of("organizer"),
     "id", "organizer_id", "title", "description", "date", "location", "contact", "tags", "status", "created_at",
     "deleted_at")  # fmt: skip
part("registrations", Registration, of("attendee"),
     "id", "attendee_id", "event_id", "event__title", "status", "answers", "registered_at", "updated_at",
     "wants_reminder")  # fmt: skip
part("scans", Scan, lambda user: Q(registration__attendee=user) | Q(account_id=user.pk),
     "event_id", "registration_id", "result", "reason", "gate", "scanned_at", "account_id")  # fmt: skip
part("roles", Membership, of("member", "owner"), "id", "owner_id", "member_id", "event_id", "role", "since")
part("invitations", Invitation, either(of("owner"), to("email")), "owner_id", "email", "role", "event_id", "created_at")
part("door_passes", DoorPass, of("event__organizer"), "event_id", "label", "created_at", "expires_at", "revoked_at")
part("mails", OutboxMail, to("recipient"),
     "recipient", "kind", "payload", "state", "last_answer", "created_at", "settled_at")  # fmt: skip
part("mail_stops", MailStop, stopped, "digest", "topic", "created_at")
part("announcements", Announcement, of("author"), "event_id", "author_id", "subject", "text", "created_at")
part("transfers", Transfer, either(of("registration__attendee"), to("email")),
     "registration_id", "email", "created_at", "settled_at")  # fmt: skip
part("reports", Report, of("reporter"), "event_id", "reporter_id", "kind", "text", "created_at", "settled_at")
part("webhooks", Webhook, of("owner"), "id", "owner_id", "url", "types", "events", "enabled", "created_at")
part("webhook_messages", Message, of("webhook__owner"),
     "webhook_id", "type", "event_id", "body", "state", "status", "answer", "created_at", "settled_at")  # fmt: skip
part("history", Fact, done_by, "type", "at", "actor_kind", "actor_id", "event_id", "registration_id")
