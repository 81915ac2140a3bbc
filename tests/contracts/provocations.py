"""How each operation is brought to each status that its document names: what is good, and what only it refuses."""

from tests.contracts.scene import BEGUN, CLOSED, EVENT, Call, Given, Scene, numbers
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


def change_password(scene: Scene) -> Call:
    body = {"current_password": PASSWORD, "new_password": "another good one"}
    return Call("POST", "/users/me/password/", scene.spare, json=body)


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
    "cancelled": lambda scene: scene.cancelled(),
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


def twice(scene: Scene) -> Call:
    event = scene.event()
    scene.registration(event)
    return Call("POST", f"/events/{event}/register/", scene.ben)


def decide(method: str, status: str, *, who: str, full: bool = False) -> Given:
    def given(scene: Scene) -> Call:
        event = scene.event(requires_approval=True, capacity=1)
        registration = scene.registration(event)
        if full:
            other = scene.registration(event, scene.cleo)
            scene.made(Call("PATCH", f"/registrations/{other}/", scene.ada, json={"status": "confirmed"}))
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
    scene.made(Call("PATCH", "/users/me/", who, json={"email": address}))
    scene.made(Call("POST", "/users/register/", json={**scene.account(rival), "password": PASSWORD}))
    return Call("POST", "/users/verify-email/", json={"token": scene.link("change_email", who, address)})


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
        return call.but(json=None, content=sent, headers={**FORM, "Accept": "text/html"})

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
        "event_started": change(method, "begun draft", status="published"),
        "event_impossible_step": change(method, "draft", status="cancelled"),
        "capacity_below_confirmed": too_few(method),
    }
    for method in ("PUT", "PATCH")
}
STEPS: dict[str, dict[str, Given]] = {
    f"{method} /registrations/{{id}}/": {
        "invalid": step(method, "gone"),
        "not_yours_to_decide": decide(method, "confirmed", who="ben"),
        "impossible_step": revive(method),
        "event_full": decide(method, "confirmed", who="ada", full=True),
    }
    for method in ("PUT", "PATCH")
}
PROFILES: dict[str, dict[str, Given]] = {
    f"{method} /users/me/": {
        "invalid": more(f"{method} /users/me/", timezone="Mars/Base"),
        "username_taken": taken(f"{method} /users/me/", "username"),
        "email_taken": taken(f"{method} /users/me/", "email"),
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
        "username_taken": taken("POST /users/register/", "username"),
        "email_taken": taken("POST /users/register/", "email"),
    },
    "DELETE /users/me/": {
        "invalid": json("DELETE /users/me/"),
        "wrong_password": json("DELETE /users/me/", password="wrong"),
    },
    "POST /users/me/password/": {
        "invalid": json("POST /users/me/password/"),
        "wrong_password": more("POST /users/me/password/", current_password="wrong"),
        "weak_password": more("POST /users/me/password/", new_password="password"),
    },
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
    "GET /users/verify-email/": {"invalid": query("GET /users/verify-email/", "token=" + "x" * 5000)},
    "POST /users/verify-email/": {
        "invalid": json("POST /users/verify-email/"),
        "invalid_token": json("POST /users/verify-email/", token="junk"),
        "email_taken": taken_meanwhile,
        "200 text/html": form("POST /users/verify-email/"),
        "400 text/html": form("POST /users/verify-email/", b"token=junk"),
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
    "GET /": {"200 text/html": lambda scene: Call("GET", "/", headers={"Accept": "text/html"})},
    "GET /problems/": {"200 text/html": lambda scene: Call("GET", "/problems/", headers={"Accept": "text/html"})},
    "GET /problems/{code}/": {
        "200 text/html": lambda scene: Call("GET", "/problems/busy/", headers={"Accept": "text/html"}),
        "not_found": lambda scene: Call("GET", "/problems/nothing/"),
    },
    "GET /events/": {"invalid": query("GET /events/", "page_size=0")},
    "POST /events/": {
        "invalid": json("POST /events/"),
        "in_the_past": more("POST /events/", date=PAST),
        "ends_before_start": more("POST /events/", ends_at=SOON),
        "closes_before_opening": more("POST /events/", registration_opens_at=LATER, registration_closes_at=SOON),
    },
    "DELETE /events/{id}/": {"permission_denied": by("DELETE /events/{id}/", "cleo")},
    "POST /events/{id}/publish/": {
        "permission_denied": by("POST /events/{id}/publish/", "cleo"),
        "event_cancelled": on("POST /events/{id}/publish/", "cancelled"),
        "event_started": on("POST /events/{id}/publish/", "begun draft"),
    },
    "POST /events/{id}/cancel/": {
        "permission_denied": by("POST /events/{id}/cancel/", "cleo"),
        "event_impossible_step": on("POST /events/{id}/cancel/", "draft"),
    },
    "POST /events/{id}/register/": {
        "invalid": lambda scene: GOOD["POST /events/{id}/register/"](scene).but(headers=LONG_KEY),
        "already_registered": twice,
        "event_full": on("POST /events/{id}/register/", "full"),
        "event_cancelled": on("POST /events/{id}/register/", "cancelled"),
        "event_started": on("POST /events/{id}/register/", "begun"),
        "registration_not_open": on("POST /events/{id}/register/", "not open"),
        "registration_closed": on("POST /events/{id}/register/", "closed"),
    },
    "GET /events/{id}/registrations/": {
        "invalid": query("GET /events/{id}/registrations/", "status=gone"),
        "permission_denied": by("GET /events/{id}/registrations/", "cleo"),
        "200 text/csv": lambda scene: GOOD["GET /events/{id}/registrations/"](scene).but(
            headers={"Accept": "text/csv"}
        ),
    },
    "GET /registrations/": {"invalid": query("GET /registrations/", "status=gone")},
    "GET /registrations/unsubscribe/": {"invalid": query("GET /registrations/unsubscribe/", "token=" + "x" * 5000)},
    "POST /registrations/unsubscribe/": {
        "invalid": json("POST /registrations/unsubscribe/"),
        "invalid_token": json("POST /registrations/unsubscribe/", token="junk"),
        "200 text/html": form("POST /registrations/unsubscribe/"),
        "400 text/html": form("POST /registrations/unsubscribe/", b"token=junk"),
    },
    "DELETE /registrations/{id}/": {"not_yours_to_decide": by("DELETE /registrations/{id}/", "ben")},
}
