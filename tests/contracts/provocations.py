"""How each operation is brought to each status that its document names: what is good, and what only it refuses."""

from uuid import uuid4

from jointoit.accounts import addresses
from tests.contracts.scene import BEGUN, CLOSED, EVENT, HIDDEN, OVER, Call, Given, Person, Scene, numbers
from tests.live import PASSWORD

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PAST, SOON, LATER = "2020-01-01T00:00:00Z", "2098-01-01T00:00:00Z", "2098-02-01T00:00:00Z"
LONG_KEY = {"Idempotency-Key": "x" * 256}


def get(path: str) -> Given:
    return lambda scene: Call("GET", path.format(event=scene.event, me=scene.ada), scene.ada)


def sign_up(scene: Scene) -> Call:
    name = f"new{next(numbers)}"
    return Call("POST", "/users/register/", json={**scene.account(name), "password": PASSWORD})


def event_call(method: str, path: str = "/events/{}/", **body: object) -> Given:
    return lambda scene: Call(method, path.format(scene.event()), scene.ada, json=body or None)


def step(method: str, status: str = "cancelled") -> Given:
    return lambda scene: Call(method, f"/registrations/{scene.registration()}/", scene.ada, json={"status": status})


def profile(method: str) -> Given:
    return lambda scene: Call(method, "/users/me/", scene.spare, json=scene.account(scene.spare.name))


def reset(scene: Scene) -> Call:
    token = scene.link("reset_password", scene.spare)
    return Call("POST", "/users/password-reset/confirm/", json={"token": token, "new_password": "another good one"})


def verify(scene: Scene) -> Call:
    return Call("POST", "/users/verify-email/", json={"token": scene.link("verify_email", scene.spare)})


def agree(scene: Scene, who: Person, *, taken: bool = False) -> Call:
    """The old address agrees to a new one, which somebody else may have taken since it was confirmed."""
    address = f"agreed-{who.name}@example.org"
    scene.made(Call("PATCH", "/users/me/", who, json={"email": address}))
    if taken:
        scene.made(Call("POST", "/users/verify-email/", json={"token": scene.link("change_email", who, address)}))
        rival = f"rival{next(numbers)}"
        account = {"username": rival, "email": address, "password": PASSWORD}
        scene.made(Call("POST", "/users/register/", json=account))
    token = scene.link("agree_email", who, addresses.digest(address))
    return Call("POST", "/users/email-change/agree/", json={"token": token})


def stop(scene: Scene) -> Call:
    """A new username is taken back."""
    who = scene.person()
    token = scene.link("stop_change", who, who.name)
    return Call("POST", "/users/changes/stop/", json={"token": token})


def last_superuser(scene: Scene) -> Call:
    who = scene.person()
    scene.turned("UPDATE accounts_user SET is_superuser = (id = %s)", who.id)
    return Call("DELETE", "/users/me/", who, json={"password": PASSWORD})


def session(scene: Scene) -> Call:
    listed = scene.made(Call("GET", "/users/me/sessions/", scene.ada))["results"]
    scene.made(Call("POST", "/api/token/", json=scene.login()))
    known = {each["id"] for each in listed}
    now = scene.made(Call("GET", "/users/me/sessions/", scene.ada))["results"]
    (family,) = (each["id"] for each in now if each["id"] not in known)
    return Call("DELETE", f"/users/me/sessions/{family}/", scene.ada)


def change_password(scene: Scene) -> Call:
    body = {"current_password": PASSWORD, "new_password": "another good one"}
    return Call("POST", "/users/me/password/", scene.spare, json=body)


def without_password(scene: Scene) -> Person:
    """Somebody who logged in by a link."""
    who = scene.person()
    scene.turned("UPDATE accounts_user SET password = '!', email_verified = true WHERE id = %s", who.id)
    return who


def organizer_calendar(scene: Scene) -> Call:
    scene.event()
    return Call("GET", f"/organizers/{scene.ada.id}/calendar.ics", scene.ada)


def personal_calendar(scene: Scene) -> Call:
    url = scene.made(Call("POST", "/users/me/calendar/", scene.ada))["url"]
    return Call("GET", f"/calendar/{url.rpartition('/')[2]}")


def calendar_again(scene: Scene) -> Call:
    scene.made(Call("POST", "/users/me/calendar/", scene.ada))
    return Call("POST", "/users/me/calendar/", scene.ada)


#: What each operation accepts, made anew for each call.
GOOD: dict[str, Given] = {
    "GET /": get("/"),
    "GET /problems/": get("/problems/"),
    "GET /problems/{code}/": get("/problems/not_found/"),
    "GET /health/live/": get("/health/live/"),
    "GET /health/ready/": get("/health/ready/"),
    "POST /users/register/": sign_up,
    "GET /users/me/": get("/users/me/"),
    "PUT /users/me/": profile("PUT"),
    "PATCH /users/me/": profile("PATCH"),
    "DELETE /users/me/": lambda scene: Call("DELETE", "/users/me/", scene.spare, json={"password": PASSWORD}),
    "POST /users/me/password/": change_password,
    "GET /users/me/sessions/": get("/users/me/sessions/"),
    "DELETE /users/me/sessions/": lambda scene: Call("DELETE", "/users/me/sessions/", scene.spare),
    "DELETE /users/me/sessions/{family}/": session,
    "POST /users/me/proof/": lambda scene: Call("POST", "/users/me/proof/", without_password(scene)),
    "POST /users/me/calendar/": lambda scene: Call("POST", "/users/me/calendar/", scene.person()),
    "GET /organizers/{id}/calendar.ics": organizer_calendar,
    "GET /calendar/{secret}.ics": personal_calendar,
    "POST /users/password-reset/": lambda scene: Call(
        "POST", "/users/password-reset/", json={"email": scene.ada.email}
    ),
    "GET /users/password-reset/confirm/": lambda scene: Call(
        "GET", f"/users/password-reset/confirm/?token={scene.link('reset_password', scene.spare)}"
    ),
    "POST /users/password-reset/confirm/": reset,
    "GET /users/verify-email/": lambda scene: Call(
        "GET", f"/users/verify-email/?token={scene.link('verify_email', scene.spare)}"
    ),
    "POST /users/verify-email/": verify,
    "GET /users/not-me/": get("/users/not-me/?token=x"),
    "POST /users/not-me/": lambda scene: Call("POST", "/users/not-me/", json={"token": scene.not_me(scene.spare)}),
    "GET /users/stop-mail/": get("/users/stop-mail/?token=x"),
    "POST /users/stop-mail/": lambda scene: Call("POST", "/users/stop-mail/", json={"token": scene.stop_mail()}),
    "GET /users/email-change/agree/": get("/users/email-change/agree/?token=x"),
    "POST /users/email-change/agree/": lambda scene: agree(scene, scene.person()),
    "GET /users/changes/stop/": get("/users/changes/stop/?token=x"),
    "POST /users/changes/stop/": stop,
    "POST /users/verify-email/resend/": lambda scene: Call("POST", "/users/verify-email/resend/", scene.ada),
    "POST /api/token/": lambda scene: Call("POST", "/api/token/", json=scene.login()),
    "POST /api/token/refresh/": lambda scene: Call("POST", "/api/token/refresh/", json={"refresh": scene.refresh()}),
    "POST /api/token/verify/": lambda scene: Call("POST", "/api/token/verify/", json={"token": scene.refresh()}),
    "POST /api/token/blacklist/": lambda scene: Call(
        "POST", "/api/token/blacklist/", json={"refresh": scene.refresh()}
    ),
    "GET /events/": get("/events/"),
    "POST /events/": lambda scene: Call("POST", "/events/", scene.ada, json=EVENT),
    "GET /events/{id}/": event_call("GET"),
    "PUT /events/{id}/": event_call("PUT", **EVENT),
    "PATCH /events/{id}/": event_call("PATCH", title="Another"),
    "DELETE /events/{id}/": event_call("DELETE"),
    "POST /events/{id}/publish/": event_call("POST", "/events/{}/publish/"),
    "POST /events/{id}/cancel/": event_call("POST", "/events/{}/cancel/"),
    "POST /events/{id}/register/": event_call("POST", "/events/{}/register/"),
    "GET /events/{id}/registrations/": event_call("GET", "/events/{}/registrations/"),
    "GET /events/{id}/calendar.ics": event_call("GET", "/events/{}/calendar.ics"),
    "GET /registrations/": get("/registrations/"),
    "GET /registrations/unsubscribe/": get("/registrations/unsubscribe/?token=x"),
    "POST /registrations/unsubscribe/": lambda scene: Call(
        "POST", "/registrations/unsubscribe/", json={"token": scene.unsubscribe()}
    ),
    "GET /registrations/{id}/": lambda scene: Call("GET", f"/registrations/{scene.registration()}/", scene.ada),
    "PUT /registrations/{id}/": step("PUT"),
    "PATCH /registrations/{id}/": step("PATCH"),
    "DELETE /registrations/{id}/": lambda scene: Call("DELETE", f"/registrations/{scene.registration()}/", scene.ada),
}

# ── What only this operation refuses, by code ─────────────────────────────────────────────────────────────────────────


def json(operation: str, **body: object) -> Given:
    """The good call with another body."""
    return lambda scene: GOOD[operation](scene).but(json=body)


def more(operation: str, **members: object) -> Given:
    """The good call with some members of its body replaced."""

    def given(scene: Scene) -> Call:
        call = GOOD[operation](scene)
        return call.but(json={**call.json, **members})

    return given


def query(operation: str, text: str) -> Given:
    def given(scene: Scene) -> Call:
        call = GOOD[operation](scene)
        return call.but(path=call.path.partition("?")[0], query=text)

    return given


def by(operation: str, person: str) -> Given:
    return lambda scene: GOOD[operation](scene).but(who=getattr(scene, person))


def on(operation: str, made: str) -> Given:
    """The good call on another event: one that was cancelled, is full, …"""
    method, path = operation.split()
    return lambda scene: Call(
        method, path.format(id=EVENTS[made](scene)), scene.ben if "register" in path else scene.ada
    )


EVENTS = {
    "draft": lambda scene: scene.event(status="draft"),
    "begun draft": lambda scene: scene.turned(BEGUN, scene.event(status="draft")),
    "begun": lambda scene: scene.turned(BEGUN, scene.event()),
    "over": lambda scene: scene.turned(OVER, scene.event()),
    "cancelled": lambda scene: scene.cancelled(),
    "hidden": lambda scene: scene.turned(HIDDEN, scene.event()),
    "full": lambda scene: scene.full(),
    "not open": lambda scene: scene.event(registration_opens_at=SOON),
    "closed": lambda scene: scene.turned(CLOSED, scene.event()),
}


def change(method: str, made: str, **fields: object) -> Given:
    """PUT sends everything that is required as it stands, and both what changes."""

    def given(scene: Scene) -> Call:
        event = EVENTS[made](scene)
        path = f"/events/{event}/"
        shown = scene.made(Call("GET", path, scene.ada)) if method == "PUT" else {}
        return Call(method, path, scene.ada, json={**{name: shown[name] for name in EVENT if shown}, **fields})

    return given


def too_few(method: str) -> Given:
    def given(scene: Scene) -> Call:
        event = scene.event(capacity=2)
        for who in (scene.ben, scene.cleo):
            scene.registration(event, who)
        return Call(method, f"/events/{event}/", scene.ada, json={**EVENT, "capacity": 1})

    return given


def too_many_events(scene: Scene) -> Call:
    who = scene.person()
    scene.turned(
        "INSERT INTO events_event (title, title_folded, description, date, timezone, location, location_folded,"
        " organizer_id, waitlist, requires_approval, status, tags, seats_taken, waiting, queue_tail, revision)"
        " SELECT 'Many', 'many', '', now() + interval '1 day', 'UTC', 'Here', 'here',"
        " %s, false, false, 'published', '{}', 0, 0, 0, 0 FROM generate_series(1, 5000)",  # what the scene allows
        who.id,
    )
    return Call("POST", "/events/", who, json=EVENT)


def twice(scene: Scene) -> Call:
    event = scene.event()
    scene.registration(event)
    return Call("POST", f"/events/{event}/register/", scene.ben)


def decide(method: str, status: str, *, who: str, full: bool = False, over: bool = False) -> Given:
    def given(scene: Scene) -> Call:
        event = scene.event(requires_approval=True, capacity=1)
        registration = scene.registration(event)
        if full:
            other = scene.registration(event, scene.cleo)
            scene.made(Call("PATCH", f"/registrations/{other}/", scene.ada, json={"status": "confirmed"}))
        if over:
            scene.turned(OVER, event)
        return Call(method, f"/registrations/{registration}/", getattr(scene, who), json={"status": status})

    return given


def revive(method: str) -> Given:
    def given(scene: Scene) -> Call:
        path = f"/registrations/{scene.registration()}/"
        scene.made(Call("PATCH", path, scene.ada, json={"status": "cancelled"}))
        return Call(method, path, scene.ada, json={"status": "confirmed"})

    return given


def taken_meanwhile(scene: Scene) -> Call:
    who, rival = scene.person(), f"rival{next(numbers)}"
    address = f"{rival}@example.org"
    scene.made(Call("PATCH", "/users/me/", who, json={"email": address, "current_password": PASSWORD}))
    scene.made(Call("POST", "/users/register/", json={**scene.account(rival), "password": PASSWORD}))
    return Call("POST", "/users/verify-email/", json={"token": scene.link("change_email", who, address)})


def verified_meanwhile(scene: Scene) -> Call:
    who = scene.person()
    scene.made(Call("POST", "/users/verify-email/", json={"token": scene.link("verify_email", who)}))
    return Call("POST", "/users/not-me/", json={"token": scene.not_me(who)})


def taken(operation: str, member: str) -> Given:
    def given(scene: Scene) -> Call:
        call = GOOD[operation](scene)
        return call.but(json={**call.json, member: scene.account(scene.ben.name)[member]})

    return given


def weak_reset(scene: Scene) -> Call:
    call = reset(scene)
    return call.but(json={**call.json, "new_password": "password"})


def form(operation: str, content: bytes | None = None) -> Given:
    """As a browser sends it."""

    def given(scene: Scene) -> Call:
        call = GOOD[operation](scene)
        sent = content or "&".join(f"{name}={value}" for name, value in call.json.items()).encode()
        return call.but(json=None, content=sent, headers=FORM)

    return given


CHANGES: dict[str, dict[str, Given]] = {
    f"{method} /events/{{id}}/": {
        "invalid": more(f"{method} /events/{{id}}/", title=""),
        "in_the_past": more(f"{method} /events/{{id}}/", date=PAST),
        "ends_before_start": more(f"{method} /events/{{id}}/", ends_at=SOON),
        "closes_before_opening": more(
            f"{method} /events/{{id}}/", registration_opens_at=LATER, registration_closes_at=SOON
        ),
        "permission_denied": by(f"{method} /events/{{id}}/", "cleo"),
        "event_cancelled": change(method, "cancelled", title="Another"),
        "event_over": change(method, "over", status="cancelled"),
        "event_started": change(method, "begun draft", status="published"),
        "event_impossible_step": change(method, "draft", status="cancelled"),
        "event_hidden": change(method, "hidden", status="published"),
        "capacity_below_confirmed": too_few(method),
    }
    for method in ("PUT", "PATCH")
}
STEPS: dict[str, dict[str, Given]] = {
    f"{method} /registrations/{{id}}/": {
        "invalid": step(method, "gone"),
        "not_yours_to_decide": decide(method, "confirmed", who="ben"),
        "impossible_step": revive(method),
        "event_over": decide(method, "cancelled", who="ben", over=True),
        "event_full": decide(method, "confirmed", who="ada", full=True),
    }
    for method in ("PUT", "PATCH")
}
PROFILES: dict[str, dict[str, Given]] = {
    f"{method} /users/me/": {
        "invalid": more(f"{method} /users/me/", timezone="Mars/Base"),
        "link_in_name": more(f"{method} /users/me/", last_name="www.evil.com"),
        "username_taken": taken(f"{method} /users/me/", "username"),
        "email_taken": taken(f"{method} /users/me/", "email"),
        "wrong_password": more(f"{method} /users/me/", current_password="wrong"),
        "invalid_token": more(f"{method} /users/me/", proof="junk"),
    }
    for method in ("PUT", "PATCH")
}
#: A code, or the media type of an answer that is no problem.
OWN: dict[str, dict[str, Given]] = {
    **CHANGES,
    **STEPS,
    **PROFILES,
    "POST /users/register/": {
        "invalid": json("POST /users/register/"),
        "weak_password": more("POST /users/register/", password="password"),
        "link_in_name": more("POST /users/register/", last_name="www.evil.com"),
        "username_taken": taken("POST /users/register/", "username"),
        "email_taken": taken("POST /users/register/", "email"),
    },
    "DELETE /users/me/": {
        "invalid": json("DELETE /users/me/"),
        "wrong_password": json("DELETE /users/me/", password="wrong"),
        "invalid_token": json("DELETE /users/me/", proof="junk"),
        "last_superuser": last_superuser,
    },
    "GET /users/me/sessions/": {"invalid": lambda scene: Call("GET", "/users/me/sessions/?page_size=0", scene.ada)},
    "DELETE /users/me/sessions/{family}/": {
        "not_found": lambda scene: Call("DELETE", f"/users/me/sessions/{uuid4()}/", scene.ada)
    },
    "POST /users/me/password/": {
        "invalid": json("POST /users/me/password/"),
        "wrong_password": more("POST /users/me/password/", current_password="wrong"),
        "invalid_token": more("POST /users/me/password/", proof="junk"),
        "weak_password": more("POST /users/me/password/", new_password="password"),
    },
    "POST /users/me/proof/": {"no_proof": lambda scene: Call("POST", "/users/me/proof/", scene.ada)},
    "POST /users/me/calendar/": {"200 application/json": calendar_again},
    "GET /calendar/{secret}.ics": {"not_found": lambda scene: Call("GET", "/calendar/gone.ics")},
    "POST /users/password-reset/": {"invalid": json("POST /users/password-reset/")},
    "GET /users/password-reset/confirm/": {
        "invalid": query("GET /users/password-reset/confirm/", "token=" + "x" * 5000)
    },
    "POST /users/password-reset/confirm/": {
        "invalid": json("POST /users/password-reset/confirm/"),
        "invalid_token": more("POST /users/password-reset/confirm/", token="junk"),
        "weak_password": weak_reset,
        "200 text/html": form("POST /users/password-reset/confirm/"),
        "400 text/html": form("POST /users/password-reset/confirm/", b"token=junk"),
    },
    "GET /users/not-me/": {"invalid": query("GET /users/not-me/", "token=" + "x" * 5000)},
    "POST /users/not-me/": {
        "invalid": json("POST /users/not-me/"),
        "invalid_token": json("POST /users/not-me/", token="junk"),
        "address_verified": verified_meanwhile,
        "200 text/html": form("POST /users/not-me/"),
        "400 text/html": form("POST /users/not-me/", b"token=junk"),
    },
    "GET /users/stop-mail/": {"invalid": query("GET /users/stop-mail/", "token=" + "x" * 5000)},
    "POST /users/stop-mail/": {
        "invalid": json("POST /users/stop-mail/"),
        "invalid_token": json("POST /users/stop-mail/", token="junk"),
        "200 text/html": form("POST /users/stop-mail/"),
        "400 text/html": form("POST /users/stop-mail/", b"token=junk"),
    },
    "GET /users/verify-email/": {"invalid": query("GET /users/verify-email/", "token=" + "x" * 5000)},
    "POST /users/verify-email/": {
        "invalid": json("POST /users/verify-email/"),
        "invalid_token": json("POST /users/verify-email/", token="junk"),
        "email_taken": taken_meanwhile,
        "200 text/html": form("POST /users/verify-email/"),
        "400 text/html": form("POST /users/verify-email/", b"token=junk"),
    },
    "GET /users/email-change/agree/": {"invalid": query("GET /users/email-change/agree/", "token=" + "x" * 5000)},
    "POST /users/email-change/agree/": {
        "invalid": json("POST /users/email-change/agree/"),
        "invalid_token": json("POST /users/email-change/agree/", token="junk"),
        "email_taken": lambda scene: agree(scene, scene.person(), taken=True),
        "200 text/html": form("POST /users/email-change/agree/"),
        "400 text/html": form("POST /users/email-change/agree/", b"token=junk"),
    },
    "GET /users/changes/stop/": {"invalid": query("GET /users/changes/stop/", "token=" + "x" * 5000)},
    "POST /users/changes/stop/": {
        "invalid": json("POST /users/changes/stop/"),
        "invalid_token": json("POST /users/changes/stop/", token="junk"),
        "200 text/html": form("POST /users/changes/stop/"),
        "400 text/html": form("POST /users/changes/stop/", b"token=junk"),
    },
    "POST /api/token/": {
        "invalid": json("POST /api/token/"),
        "wrong_credentials": more("POST /api/token/", password="wrong"),
    },
    "POST /api/token/refresh/": {
        "invalid": json("POST /api/token/refresh/"),
        "token_not_valid": json("POST /api/token/refresh/", refresh="junk"),
    },
    "POST /api/token/verify/": {
        "invalid": json("POST /api/token/verify/"),
        "token_not_valid": json("POST /api/token/verify/", token="junk"),
    },
    "POST /api/token/blacklist/": {
        "invalid": json("POST /api/token/blacklist/"),
        "token_not_valid": json("POST /api/token/blacklist/", refresh="junk"),
    },
    "GET /problems/{code}/": {
        "not_found": lambda scene: Call("GET", "/problems/nothing/"),
    },
    "GET /events/": {"invalid": query("GET /events/", "page_size=0")},
    "POST /events/": {
        "invalid": json("POST /events/"),
        "in_the_past": more("POST /events/", date=PAST),
        "too_many_events": too_many_events,
        "ends_before_start": more("POST /events/", ends_at=SOON),
        "closes_before_opening": more("POST /events/", registration_opens_at=LATER, registration_closes_at=SOON),
    },
    "DELETE /events/{id}/": {"permission_denied": by("DELETE /events/{id}/", "cleo")},
    "POST /events/{id}/publish/": {
        "permission_denied": by("POST /events/{id}/publish/", "cleo"),
        "event_cancelled": on("POST /events/{id}/publish/", "cancelled"),
        "event_hidden": on("POST /events/{id}/publish/", "hidden"),
        "event_started": on("POST /events/{id}/publish/", "begun draft"),
    },
    "POST /events/{id}/cancel/": {
        "permission_denied": by("POST /events/{id}/cancel/", "cleo"),
        "event_over": on("POST /events/{id}/cancel/", "over"),
        "event_impossible_step": on("POST /events/{id}/cancel/", "draft"),
        "event_hidden": on("POST /events/{id}/cancel/", "hidden"),
        "invalid": lambda scene: GOOD["POST /events/{id}/cancel/"](scene).but(json={"reason": "x" * 501}),
    },
    "POST /events/{id}/register/": {
        "invalid": lambda scene: GOOD["POST /events/{id}/register/"](scene).but(headers=LONG_KEY),
        "already_registered": twice,
        "event_full": on("POST /events/{id}/register/", "full"),
        "email_not_verified": lambda scene: Call(
            "POST", f"/events/{scene.event(verified_only=True)}/register/", scene.person()
        ),
        "event_cancelled": on("POST /events/{id}/register/", "cancelled"),
        "event_over": on("POST /events/{id}/register/", "over"),
        "event_started": on("POST /events/{id}/register/", "begun"),
        "registration_not_open": on("POST /events/{id}/register/", "not open"),
        "registration_closed": on("POST /events/{id}/register/", "closed"),
    },
    "GET /events/{id}/registrations/": {
        "invalid": query("GET /events/{id}/registrations/", "status=gone"),
        "permission_denied": by("GET /events/{id}/registrations/", "cleo"),
    },
    "GET /registrations/": {"invalid": query("GET /registrations/", "status=gone")},
    "GET /registrations/unsubscribe/": {"invalid": query("GET /registrations/unsubscribe/", "token=" + "x" * 5000)},
    "POST /registrations/unsubscribe/": {
        "invalid": json("POST /registrations/unsubscribe/"),
        "invalid_token": json("POST /registrations/unsubscribe/", token="junk"),
        "200 text/html": form("POST /registrations/unsubscribe/"),
        "400 text/html": form("POST /registrations/unsubscribe/", b"token=junk"),
    },
    "DELETE /registrations/{id}/": {
        "not_yours_to_decide": by("DELETE /registrations/{id}/", "ben"),
        "event_over": lambda scene: decide("PATCH", "", who="ada", over=True)(scene).but(method="DELETE", json=None),
    },
}
