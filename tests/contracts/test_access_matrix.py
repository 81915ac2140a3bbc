"""Who reaches what: every operation of the API against every kind of caller, each cell as written."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.urls import URLPattern, get_resolver

from jointoit.accounts import calendar_addresses, keys, tokens
from jointoit.accounts.callers import Caller
from jointoit.accounts.models import User
from jointoit.checkin import door
from jointoit.checkin.reading import Presented
from jointoit.events import door_passes, questions, team
from jointoit.events.models import Membership
from jointoit.webhooks.models import Message, Webhook
from tests.client import ServiceClient

ROLES = ("anonymous", "stranger", "attendee", "organizer", "manager", "door", "staff", "deactivated", "pass")
EVENT = {"title": "Launch", "date": "2099-05-17T18:00:00Z", "location": "Berlin"}
PUBLIC = "200 200 200 200 200 200 200 401 401"
OPEN = "200 200 200 200 200 200 200 200 200"  # looks at no token
NEEDLESS = "400 400 400 400 400 400 400 400 400"  # likewise
PERSONAL = "401 200 200 200 200 200 200 401 401"
MANAGED = "401 403 403 200 200 403 403 401 401"
MANAGED_DRAFT = "401 404 404 200 200 404 404 401 401"
#: The attendee helps at the door of all events of the organizer; the pass is for the door of one.
DOOR = "401 403 200 200 200 200 403 401 200"
TICKET = "401 404 200 200 200 404 404 401 401"

#: One line an operation: method, path, statuses in the order of ROLES, and the scope that lets a key of the organizer
#: in; "-": none does, "*": looks at no token. {{event}}, {{draft}}, {{registration}}, … are filled in.
TABLE = f"""
GET    /                                      {OPEN} *
GET    /problems/                             {OPEN} *
GET    /problems/not_found/                   {OPEN} *
GET    /health/live/                          {OPEN} *
GET    /health/ready/                         {OPEN} *
GET    /metrics                               404 404 404 404 404 404 404 404 404 *
GET    /api/schema/                           {OPEN} *
GET    /api/docs/                             {OPEN} *
GET    /api/redoc/                            {OPEN} *
POST   /users/register/                       {NEEDLESS} *
POST   /api/token/                            {NEEDLESS} *
POST   /api/token/refresh/                    {NEEDLESS} *
POST   /api/token/verify/                     {NEEDLESS} *
POST   /api/token/blacklist/                  {NEEDLESS} *
GET    /users/me/                             {PERSONAL} -
PUT    /users/me/                             401 400 400 400 400 400 400 401 401 -
PATCH  /users/me/                             {PERSONAL} -
DELETE /users/me/                             401 400 400 400 400 400 400 401 401 -
POST   /users/me/password/                    401 400 400 400 400 400 400 401 401 -
POST   /users/me/proof/                       401 409 409 409 409 409 409 401 401 -
POST   /users/me/calendar/                    401 201 201 200 201 201 201 401 401 -
GET    /users/me/keys/                        {PERSONAL} -
POST   /users/me/keys/                        401 400 400 400 400 400 400 401 401 -
PATCH  /users/me/keys/{{key}}/                401 404 404 200 404 404 404 401 401 -
DELETE /users/me/keys/{{key}}/                401 404 404 204 404 404 404 401 401 -
GET    /users/me/sessions/                    {PERSONAL} -
DELETE /users/me/sessions/                    401 204 204 204 204 204 204 401 401 -
DELETE /users/me/sessions/{{session}}/        401 404 404 204 404 404 404 401 401 -
GET    /users/me/team/                        {PERSONAL} -
PATCH  /users/me/team/{{helper}}/             401 404 404 200 404 404 404 401 401 -
DELETE /users/me/team/{{helper}}/             401 404 404 204 404 404 404 401 401 -
GET    /users/me/invitations/                 {PERSONAL} -
POST   /users/me/invitations/                 401 201 201 201 201 201 201 401 401 -
DELETE /users/me/invitations/{{offer}}/       401 404 404 204 404 404 404 401 401 -
GET    /users/me/roles/                       {PERSONAL} -
DELETE /users/me/roles/{{member}}/            401 404 404 404 204 404 404 401 401 -
POST   /users/password-reset/                 {NEEDLESS} *
POST   /users/password-reset/confirm/         {NEEDLESS} *
POST   /users/verify-email/                   {NEEDLESS} *
POST   /users/email-change/agree/             {NEEDLESS} *
POST   /users/changes/stop/                   {NEEDLESS} *
POST   /users/not-me/                         {NEEDLESS} *
POST   /users/stop-mail/                      {NEEDLESS} *
POST   /users/verify-email/resend/            401 202 202 202 202 202 202 401 401 -
GET    /events/                               {PUBLIC} events:read
POST   /events/                               401 201 201 201 201 201 201 401 401 events:write
GET    /events/{{event}}/                     {PUBLIC} events:read
PUT    /events/{{event}}/                     {MANAGED} events:write
PATCH  /events/{{event}}/                     {MANAGED} events:write
DELETE /events/{{event}}/                     401 403 403 204 403 403 403 401 401 events:write
POST   /events/{{event}}/publish/             {MANAGED} events:write
POST   /events/{{event}}/cancel/              {MANAGED} events:write
POST   /events/{{event}}/register/            401 201 409 201 201 201 201 401 401 registrations:write
GET    /events/{{event}}/registrations/       {MANAGED} attendees:read
GET    /events/{{event}}/history/             {MANAGED} attendees:read
GET    /events/{{event}}/team/                {MANAGED} -
PATCH  /events/{{event}}/team/{{member}}/     401 403 403 200 403 403 403 401 401 -
DELETE /events/{{event}}/team/{{member}}/     401 403 403 204 204 403 403 401 401 -
DELETE /events/{{event}}/team/{{doorkeeper}}/ 401 403 403 204 204 204 403 401 401 -
GET    /events/{{event}}/invitations/         {MANAGED} -
POST   /events/{{event}}/invitations/         401 403 403 201 201 403 403 401 401 -
DELETE /events/{{event}}/invitations/{{invitation}}/ 401 403 403 204 204 403 403 401 401 -
POST   /events/{{event}}/handover/            401 403 403 202 403 403 403 401 401 -
DELETE /events/{{offered}}/handover/          401 403 403 204 403 403 403 401 401 -
GET    /events/{{event}}/door-passes/         {MANAGED} -
POST   /events/{{event}}/door-passes/         401 403 403 201 201 403 403 401 401 -
DELETE /events/{{event}}/door-passes/{{pass}}/ 401 403 403 204 204 403 403 401 401 -
GET    /events/{{event}}/calendar.ics         {PUBLIC} events:read
GET    /organizers/{{organizer}}/calendar.ics {PUBLIC} events:read
GET    /calendar/{{calendar}}.ics             {OPEN} *
GET    /events/{{draft}}/                     404 404 404 200 200 404 404 401 401 events:read
PATCH  /events/{{draft}}/                     {MANAGED_DRAFT} events:write
DELETE /events/{{draft}}/                     401 404 404 204 403 404 404 401 401 events:write
POST   /events/{{draft}}/publish/             {MANAGED_DRAFT} events:write
POST   /events/{{draft}}/register/            401 404 404 409 409 404 404 401 401 registrations:write
GET    /events/{{draft}}/registrations/       {MANAGED_DRAFT} attendees:read
GET    /events/{{draft}}/calendar.ics         404 404 404 200 200 404 404 401 401 events:read
GET    /events/{{event}}/checkin/             {DOOR} checkin
GET    /events/{{draft}}/checkin/             401 404 404 200 200 404 404 401 404 checkin
GET    /events/{{event}}/checkin/scans/       {DOOR} checkin
POST   /events/{{event}}/checkin/scans/       401 403 201 201 201 201 403 401 201 checkin
POST   /events/{{event}}/checkin/scans/batch/ {DOOR} checkin
DELETE /events/{{event}}/checkin/scans/{{scan}}/ 401 403 404 204 204 404 403 401 404 checkin
GET    /events/{{event}}/checkin/roster/      {DOOR} checkin
GET    /events/{{event}}/checkin/search/?q=at {DOOR} checkin
GET    /events/{{offered}}/checkin/           401 403 200 200 200 200 403 401 403 checkin
GET    /registrations/{{registration}}/ticket/ {TICKET} attendees:read
GET    /registrations/{{registration}}/ticket.svg {TICKET} attendees:read
GET    /registrations/{{registration}}/ticket.png {TICKET} attendees:read
POST   /registrations/{{registration}}/ticket/reissue/ {TICKET} registrations:write
GET    /tickets/keys/                         {OPEN} *
POST   /events/{{event}}/registrations/       401 403 403 201 201 403 403 401 401 registrations:write
POST   /events/{{event}}/registrations/steps/ {MANAGED} registrations:write
GET    /events/{{event}}/questions/           {PUBLIC} events:read
GET    /events/{{draft}}/questions/           404 404 404 200 200 404 404 401 401 events:read
POST   /events/{{event}}/questions/           401 403 403 201 201 403 403 401 401 events:write
PATCH  /events/{{event}}/questions/{{question}}/ {MANAGED} events:write
DELETE /events/{{event}}/questions/{{question}}/ 401 403 403 204 204 403 403 401 401 events:write
GET    /events/{{event}}/announcements/       {MANAGED} attendees:read
POST   /events/{{event}}/announcements/       401 403 403 202 202 403 403 401 401 registrations:write
POST   /events/{{event}}/duplicate/           401 403 403 201 201 403 403 401 401 events:write
GET    /events/{{event}}/statistics/          {MANAGED} attendees:read
POST   /registrations/{{registration}}/mail/  401 404 202 202 202 404 404 401 401 registrations:write
POST   /registrations/{{registration}}/transfer/ 401 404 409 404 404 404 404 401 401 registrations:write
DELETE /registrations/{{registration}}/transfer/ 401 404 404 404 404 404 404 401 401 registrations:write
POST   /transfers/accept/                     401 400 400 400 400 400 400 401 401 -
POST   /transfers/decline/                    401 400 400 400 400 400 400 401 401 -
POST   /users/me/export/                      401 400 400 400 400 400 400 401 401 -
GET    /registrations/                        {PERSONAL} attendees:read
POST   /registrations/unsubscribe/            {NEEDLESS} *
GET    /registrations/{{registration}}/       401 404 200 200 200 404 404 401 401 attendees:read
PUT    /registrations/{{registration}}/       401 404 200 200 200 404 404 401 401 registrations:write
PATCH  /registrations/{{registration}}/       401 404 200 200 200 404 404 401 401 registrations:write
DELETE /registrations/{{registration}}/       401 404 403 204 204 404 404 401 401 registrations:write
GET    /registrations/{{registration}}/history/ 401 404 200 200 200 404 404 401 401 attendees:read
GET    /feed/                                 {PUBLIC} feed
GET    /webhooks/                             {PERSONAL} webhooks
POST   /webhooks/                             401 201 201 201 201 201 201 401 401 webhooks
GET    /webhooks/{{hook}}/                    401 404 404 200 404 404 404 401 401 webhooks
PATCH  /webhooks/{{hook}}/                    401 404 404 200 404 404 404 401 401 webhooks
DELETE /webhooks/{{hook}}/                    401 404 404 204 404 404 404 401 401 webhooks
POST   /webhooks/{{hook}}/rotate/             401 404 404 200 404 404 404 401 401 webhooks
POST   /webhooks/{{hook}}/test/               401 404 404 200 404 404 404 401 401 webhooks
GET    /webhooks/{{hook}}/deliveries/         401 404 404 200 404 404 404 401 401 webhooks
POST   /webhooks/{{hook}}/deliveries/{{message}}/redeliver/ 401 404 404 202 404 404 404 401 401 webhooks
GET    /invitations/                          {PERSONAL} -
POST   /invitations/accept/                   401 400 400 400 400 400 400 401 401 -
POST   /invitations/decline/                  401 400 400 400 400 400 400 401 401 -
"""
BODIES: dict[str, Any] = {
    "POST /events/": EVENT,
    "PUT /events/{event}/": EVENT,
    "PUT /registrations/{registration}/": {"status": "cancelled"},
    "PATCH /registrations/{registration}/": {"status": "cancelled"},
}
INVITED = {"email": "somebody@example.net", "role": "door"}
BODIES |= {
    "POST /users/me/invitations/": INVITED,
    "POST /events/{event}/invitations/": INVITED,
    "POST /events/{event}/handover/": {"email": "somebody@example.net"},
    "POST /events/{event}/door-passes/": {"label": "Side entrance"},
    "POST /webhooks/": {"url": "https://hooks.example.org/", "types": ["event.changed"]},
    "PATCH /users/me/keys/{key}/": {"name": "Printer"},
    "PATCH /users/me/team/{helper}/": {"role": "door"},
    "PATCH /events/{event}/team/{member}/": {"role": "door"},
    "POST /events/{event}/registrations/": {"email": "guest@example.net"},
    "POST /events/{event}/registrations/steps/": {"ids": [1], "status": "confirmed"},
    "POST /events/{event}/questions/": {"label": "Anything else?", "type": "text"},
    "PATCH /events/{event}/questions/{question}/": {"label": "Anything more?"},
    "POST /events/{event}/announcements/": {"subject": "News", "text": "Here."},
    "POST /events/{event}/duplicate/": {"date": "2099-06-17T18:00:00Z"},
    "POST /registrations/{registration}/transfer/": {"email": "friend@example.net"},
}
BODIES |= {
    "POST /events/{event}/checkin/scans/": lambda: {"id": str(uuid4()), "code": "7K2M-9QF3-8D"},
    "POST /events/{event}/checkin/scans/batch/": lambda: {
        "device_time": "2030-01-01T00:00:00Z", "scans": [{"id": str(uuid4()), "token": "x"}],
    },
}  # fmt: skip
ROWS = [
    pytest.param(method, path, [int(status) for status in statuses], scope, id=f"{method} {path}")
    for method, path, *statuses, scope in (line.split() for line in TABLE.strip().splitlines())
]


@pytest.fixture
def clients(make_user: Callable[..., User], api: ServiceClient) -> dict[str, ServiceClient]:
    """One client for each role, with a real token, got by logging in."""
    clients = {"anonymous": api, "pass": ServiceClient()}
    for role in ROLES[1:-1]:
        user = make_user(username=role, is_staff=role == "staff", is_superuser=role == "staff")
        pair = api.post("/api/token/", {"username": role, "password": "correct-horse-9"}).json()
        clients[role] = ServiceClient(HTTP_AUTHORIZATION=f"Bearer {pair['access']}")
        if role == "deactivated":
            User.objects.filter(pk=user.pk).update(is_active=False)
    return clients


@pytest.fixture
def world(clients, make_event, register, now) -> dict[str, Any]:
    """An event with a team and everything that has an id."""
    people = {user.username: user for user in User.objects.all()}
    owner, caller = people["organizer"], Caller(people["organizer"])
    statuses = ("published", "draft", "published")
    event, draft, offered = (make_event(organizer=owner, status=status) for status in statuses)
    member, doorkeeper = [
        Membership.objects.create(owner=owner, event=place, member=people[role], role=role, since=now)
        for place in (draft, offered, event)
        for role in ("manager", "door")
    ][-2:]
    helper = Membership.objects.create(owner=owner, member=people["attendee"], role="door", since=now)
    asked = {"email": "other@example.net", "role": "door", "now": now, "caller": caller}
    offer, invitation = team.invite(event_id=None, **asked), team.invite(event_id=event.pk, **asked)
    team.offer_handover(caller=caller, event_id=offered.pk, email="other@example.net", now=now)
    key, _ = keys.create(user=owner, name="k", scopes=["feed"], password="correct-horse-9", now=now)
    tokens.issue(user=owner, now=now)
    door_pass, text = door_passes.create(caller=caller, event_id=event.pk, label="Side", now=now)
    clients["pass"].defaults["HTTP_AUTHORIZATION"] = f"Bearer {text}"
    question = questions.add(caller=caller, event_id=event.pk, fields={"label": "Food?", "type": "text"}, now=now)
    scan, _ = door.admit(caller=caller, event_id=event.pk, scan=Presented(id=uuid4(), token="x"), now=now)
    hook = Webhook.objects.create(
        owner=owner, url="https://127.0.0.1:1/", types=["event.changed"], seed="", created_at=now
    )
    message = Message.objects.create(webhook=hook, fact_id=1, give_up_at=now)
    message.refresh_from_db()
    url, _ = calendar_addresses.make(user=owner, now=now)
    return {
        "organizer": owner.pk, "calendar": url.rpartition("/")[2].removesuffix(".ics"),
        "hook": hook.pk, "message": str(message), "scan": scan["id"], "question": question.pk,
        "event": event.pk, "draft": draft.pk, "offered": offered.pk,
        "registration": register(event, people["attendee"]).pk,
        "member": member.pk, "doorkeeper": doorkeeper.pk, "helper": helper.pk, "offer": offer.pk,
        "invitation": invitation.pk, "key": key.pk, "pass": door_pass.pk,
        "session": owner.refresh_tokens.latest("began_at").family,
    }  # fmt: skip


@contextmanager
def undone() -> Iterator[None]:
    """The next caller finds everything as this one did."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def body_of(method: str, path: str) -> Any:
    body = BODIES.get(f"{method} {path}")
    return body() if callable(body) else body


@pytest.mark.parametrize(("method", "path", "statuses", "scope"), ROWS)
def test_each_caller_reaches_what_is_theirs(clients, world, method, path, statuses, scope):
    answers = {}
    for role, client in clients.items():
        with undone():
            response = getattr(client, method.lower())(path.format(**world), body_of(method, path))
        answers[role] = response.status_code
        assert (response.status_code == 401) == response.has_header("WWW-Authenticate")

    assert answers == dict(zip(ROLES, statuses, strict=True))


@pytest.mark.parametrize(("method", "path", "statuses", "scope"), ROWS)
def test_a_key_of_the_organizer_reaches_what_its_scope_is_for(clients, world, now, method, path, statuses, scope):
    owner, owners = User.objects.get(username="organizer"), statuses[ROLES.index("organizer")]
    answers = {}
    for name in keys.SCOPES:
        with undone():
            _, text = keys.create(user=owner, name=name, scopes=[name], password="correct-horse-9", now=now)
            client = ServiceClient(HTTP_AUTHORIZATION=f"Bearer {text}")
            answer = getattr(client, method.lower())(path.format(**world), body_of(method, path))
        answers[name] = answer.status_code

    assert answers == {name: owners if scope in (name, "*") else 403 for name in keys.SCOPES}


def test_every_route_and_every_method_is_in_the_table():
    known = {(row.values[0], generic(row.values[1])) for row in ROWS}

    assert {operation for pattern in get_resolver().url_patterns for operation in operations(pattern)} == known


def operations(pattern: Any) -> set[tuple[str, str]]:
    """The methods that a route answers; the admin guards itself and is not one of ours."""
    if not isinstance(pattern, URLPattern):
        return set()
    path = "/" + generic(str(pattern.pattern))
    view = getattr(pattern.callback, "view_class", getattr(pattern.callback, "cls", None))
    methods = [m.upper() for m in ("get", "post", "put", "patch", "delete") if hasattr(view, m)] if view else ["GET"]
    return {(method, path) for method in methods if (method, path) not in PAGES}


#: What a browser gets under the address of a mailed link; tests/accounts and tests/events test these pages.
PAGES = {
    ("GET", "/users/verify-email/"),
    ("GET", "/users/email-change/agree/"),
    ("GET", "/users/changes/stop/"),
    ("GET", "/users/password-reset/confirm/"),
    ("GET", "/registrations/unsubscribe/"),
    ("GET", "/users/not-me/"),
    ("GET", "/users/stop-mail/"),
}


def generic(path: str) -> str:
    path = re.sub(r"<(id|uuid|msg|str):\w+>|\{\w+\}", "N", path).partition("?")[0]
    return path.replace("<slug:code>", "not_found")
