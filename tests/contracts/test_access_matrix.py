"""Who reaches what: every operation of the API against every kind of caller, each cell as written."""

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import URLPattern, get_resolver

from jointoit.accounts.models import User
from tests.client import ServiceClient

ROLES = ("anonymous", "stranger", "attendee", "organizer", "staff", "deactivated")
EVENT = {"title": "Launch", "date": "2099-05-17T18:00:00Z", "location": "Berlin"}
PUBLIC = "200 200 200 200 200 401"
OPEN = "200 200 200 200 200 200"  # looks at no token

#: One line an operation: method, path, statuses in the order of ROLES. {event}, {draft}, {registration} are filled in.
TABLE = f"""
GET    /                                      {OPEN}
GET    /problems/                             {OPEN}
GET    /problems/not_found/                   {OPEN}
GET    /health/live/                          {OPEN}
GET    /health/ready/                         {OPEN}
GET    /metrics                               404 404 404 404 404 404
GET    /api/schema/                           {OPEN}
GET    /api/docs/                             {OPEN}
GET    /api/redoc/                            {OPEN}
POST   /users/register/                       400 400 400 400 400 400
POST   /api/token/                            400 400 400 400 400 400
POST   /api/token/refresh/                    400 400 400 400 400 400
POST   /api/token/verify/                     400 400 400 400 400 400
POST   /api/token/blacklist/                  400 400 400 400 400 400
GET    /users/me/                             401 200 200 200 200 401
PUT    /users/me/                             401 400 400 400 400 401
PATCH  /users/me/                             401 200 200 200 200 401
DELETE /users/me/                             401 400 400 400 400 401
POST   /users/me/password/                    401 400 400 400 400 401
POST   /users/password-reset/                 400 400 400 400 400 400
POST   /users/password-reset/confirm/         400 400 400 400 400 400
POST   /users/verify-email/                   400 400 400 400 400 400
POST   /users/verify-email/resend/            401 202 202 202 202 401
GET    /events/                               {PUBLIC}
POST   /events/                               401 201 201 201 201 401
GET    /events/{{event}}/                     {PUBLIC}
PUT    /events/{{event}}/                     401 403 403 200 403 401
PATCH  /events/{{event}}/                     401 403 403 200 403 401
DELETE /events/{{event}}/                     401 403 403 204 403 401
POST   /events/{{event}}/publish/             401 403 403 200 403 401
POST   /events/{{event}}/cancel/              401 403 403 200 403 401
POST   /events/{{event}}/register/            401 201 409 201 201 401
GET    /events/{{event}}/registrations/       401 403 403 200 403 401
GET    /events/{{event}}/calendar.ics         {PUBLIC}
GET    /events/{{draft}}/                     404 404 404 200 404 401
PATCH  /events/{{draft}}/                     401 404 404 200 404 401
DELETE /events/{{draft}}/                     401 404 404 204 404 401
POST   /events/{{draft}}/publish/             401 404 404 200 404 401
POST   /events/{{draft}}/register/            401 404 404 409 404 401
GET    /events/{{draft}}/registrations/       401 404 404 200 404 401
GET    /events/{{draft}}/calendar.ics         404 404 404 200 404 401
GET    /registrations/                        401 200 200 200 200 401
POST   /registrations/unsubscribe/            400 400 400 400 400 400
GET    /registrations/{{registration}}/       401 404 200 200 404 401
PUT    /registrations/{{registration}}/       401 404 200 200 404 401
PATCH  /registrations/{{registration}}/       401 404 200 200 404 401
DELETE /registrations/{{registration}}/       401 404 403 204 404 401
"""
BODIES: dict[str, Any] = {
    "POST /events/": EVENT,
    "PUT /events/{event}/": EVENT,
    "PUT /registrations/{registration}/": {"status": "cancelled"},
    "PATCH /registrations/{registration}/": {"status": "cancelled"},
}
ROWS = [
    pytest.param(method, path, [int(status) for status in statuses], id=f"{method} {path}")
    for method, path, *statuses in (line.split() for line in TABLE.strip().splitlines())
]


@pytest.fixture
def clients(make_user: Callable[..., User], api: ServiceClient) -> dict[str, ServiceClient]:
    """One client for each role, with a real token, got by logging in."""
    clients = {"anonymous": api}
    for role in ROLES[1:]:
        user = make_user(username=role, is_staff=role == "staff", is_superuser=role == "staff")
        pair = api.post("/api/token/", {"username": role, "password": "correct-horse-9"}).json()
        clients[role] = ServiceClient(HTTP_AUTHORIZATION=f"Bearer {pair['access']}")
        if role == "deactivated":
            User.objects.filter(pk=user.pk).update(is_active=False)
    return clients


@pytest.mark.parametrize(("method", "path", "statuses"), ROWS)
def test_each_caller_reaches_what_is_theirs(clients, make_event, register, method, path, statuses):
    organizer, attendee = User.objects.get(username="organizer"), User.objects.get(username="attendee")
    answers = {}
    for role, client in clients.items():
        event, draft = make_event(organizer=organizer), make_event(organizer=organizer, status="draft")
        registration = register(event, attendee)
        address = path.format(event=event.pk, draft=draft.pk, registration=registration.pk)
        response = getattr(client, method.lower())(address, BODIES.get(f"{method} {path}"))
        answers[role] = response.status_code
        assert (response.status_code == 401) == response.has_header("WWW-Authenticate")

    assert answers == dict(zip(ROLES, statuses, strict=True))


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
    ("GET", "/users/password-reset/confirm/"),
    ("GET", "/registrations/unsubscribe/"),
}


def generic(path: str) -> str:
    for name in ("<id:pk>", "{event}", "{draft}", "{registration}"):
        path = path.replace(name, "N")
    return path.replace("<slug:code>", "not_found")
