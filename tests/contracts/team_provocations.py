"""As `provocations`, for keys, teams and history."""

from typing import Any

from jointoit.mail import links
from tests.contracts.scene import Call, Given, Person, Scene
from tests.live import PASSWORD

ROLE = {"role": "door"}


def key(scene: Scene, **fields: Any) -> int:
    body = {"name": "Printer", "scopes": ["feed"], "password": PASSWORD} | fields
    return int(scene.made(Call("POST", "/users/me/keys/", scene.ada, json=body))["id"])


def helper(scene: Scene, event: int | None, role: str = "manager", who: Person | None = None) -> int:
    """The id of a role with one event of ada's, or with all."""
    values = [scene.ada.id, event, (who or scene.ben).id, role]
    insert = "INSERT INTO events_membership (owner_id, event_id, member_id, role, since) VALUES (%s, %s, %s, %s, now())"
    found = scene.database.execute(f"{insert} ON CONFLICT DO NOTHING RETURNING id", values).fetchone()
    known = (
        "SELECT id FROM events_membership WHERE owner_id = %s AND event_id IS NOT DISTINCT FROM %s AND member_id = %s"
    )
    found = found or scene.database.execute(known, values[:3]).fetchone()
    scene.database.commit()
    assert found
    return int(found[0])


def verified(scene: Scene, who: Person) -> Person:
    scene.database.execute("UPDATE accounts_user SET email_verified = true WHERE id = %s", [who.id])
    scene.database.commit()
    return who


def offer(
    scene: Scene, event: int | None, who: Person | None = None, path: str = "invitations", role: str = "door"
) -> int:
    """The id of an invitation of ada's to somebody new."""
    address = (who or scene.person()).email
    place = f"/events/{event}/{path}/" if event else f"/users/me/{path}/"
    body = {"email": address} | ({} if path == "handover" else {"role": role})
    return int(scene.made(Call("POST", place, scene.ada, json=body))["id"])


def token(scene: Scene, invitation: int) -> str:
    with scene.its_keys():
        return links.mint_invitation(invitation)


def team_call(method: str, **body: object) -> Given:
    def given(scene: Scene) -> Call:
        event = scene.event()
        return Call(method, f"/events/{event}/team/{helper(scene, event)}/", scene.ada, json=body or None)

    return given


def my_team_call(method: str, **body: object) -> Given:
    return lambda scene: Call(
        method, f"/users/me/team/{helper(scene, None, who=scene.person())}/", scene.ada, json=body or None
    )


def my_role(scene: Scene) -> Call:
    return Call("DELETE", f"/users/me/roles/{helper(scene, scene.event())}/", scene.ben)


def invite(scene: Scene) -> Call:
    body = {"email": scene.person().email, "role": "door"}
    return Call("POST", f"/events/{scene.event()}/invitations/", scene.ada, json=body)


def my_invite(scene: Scene) -> Call:
    return Call("POST", "/users/me/invitations/", scene.ada, json={"email": scene.person().email, "role": "door"})


def withdrawn(scene: Scene) -> Call:
    event = scene.event()
    return Call("DELETE", f"/events/{event}/invitations/{offer(scene, event)}/", scene.ada)


def handover(scene: Scene) -> Call:
    return Call("POST", f"/events/{scene.event()}/handover/", scene.ada, json={"email": scene.person().email})


def handover_withdrawn(scene: Scene) -> Call:
    event = scene.event()
    offer(scene, event, path="handover")
    return Call("DELETE", f"/events/{event}/handover/", scene.ada)


def answer(path: str) -> Given:
    def given(scene: Scene) -> Call:
        who = verified(scene, scene.person())
        return Call("POST", path, who, json={"token": token(scene, offer(scene, scene.event(), who))})

    return given


def door_pass(scene: Scene) -> Call:
    return Call("POST", f"/events/{scene.event()}/door-passes/", scene.ada, json={"label": "Side entrance"})


def door_pass_ended(scene: Scene) -> Call:
    call = door_pass(scene)
    return Call("DELETE", f"{call.path}{scene.made(call)['id']}/", scene.ada)


def mine(path: str) -> Given:
    return lambda scene: Call("GET", path, scene.ada)


def of_event(path: str) -> Given:
    return lambda scene: Call("GET", f"/events/{scene.event()}/{path}/", scene.ada)


def list_provocations(path: str) -> dict[str, Given]:
    return {
        "permission_denied": by(f"GET /events/{{id}}/{path}/", "cleo"),
        "invalid": lambda scene: of_event(path)(scene).but(query="page_size=0"),
    }


GOOD: dict[str, Given] = {
    "GET /users/me/keys/": mine("/users/me/keys/"),
    "POST /users/me/keys/": lambda scene: Call(
        "POST", "/users/me/keys/", scene.ada, json={"name": "Printer", "scopes": ["feed"], "password": PASSWORD}
    ),
    "PATCH /users/me/keys/{id}/": lambda scene: Call(
        "PATCH", f"/users/me/keys/{key(scene)}/", scene.ada, json={"name": "Other"}
    ),
    "DELETE /users/me/keys/{id}/": lambda scene: Call("DELETE", f"/users/me/keys/{key(scene)}/", scene.ada),
    "GET /users/me/team/": mine("/users/me/team/"),
    "PATCH /users/me/team/{member}/": my_team_call("PATCH", **ROLE),
    "DELETE /users/me/team/{member}/": my_team_call("DELETE"),
    "GET /users/me/invitations/": mine("/users/me/invitations/"),
    "POST /users/me/invitations/": my_invite,
    "DELETE /users/me/invitations/{invitation}/": lambda scene: Call(
        "DELETE", f"/users/me/invitations/{offer(scene, None)}/", scene.ada
    ),
    "GET /users/me/roles/": mine("/users/me/roles/"),
    "DELETE /users/me/roles/{member}/": my_role,
    "GET /events/{id}/history/": of_event("history"),
    "GET /registrations/{id}/history/": lambda scene: Call(
        "GET", f"/registrations/{scene.registration()}/history/", scene.ada
    ),
    "GET /events/{id}/team/": of_event("team"),
    "PATCH /events/{id}/team/{member}/": team_call("PATCH", **ROLE),
    "DELETE /events/{id}/team/{member}/": team_call("DELETE"),
    "GET /events/{id}/invitations/": of_event("invitations"),
    "POST /events/{id}/invitations/": invite,
    "DELETE /events/{id}/invitations/{invitation}/": withdrawn,
    "POST /events/{id}/handover/": handover,
    "DELETE /events/{id}/handover/": handover_withdrawn,
    "GET /events/{id}/door-passes/": of_event("door-passes"),
    "POST /events/{id}/door-passes/": door_pass,
    "DELETE /events/{id}/door-passes/{door_pass}/": door_pass_ended,
    "GET /invitations/": mine("/invitations/"),
    "POST /invitations/accept/": answer("/invitations/accept/"),
    "POST /invitations/decline/": answer("/invitations/decline/"),
}

# ── What only this operation refuses, by code ─────────────────────────────────────────────────────────────────────────


def by(operation: str, person: str) -> Given:
    return lambda scene: GOOD[operation](scene).but(who=getattr(scene, person))


def body(operation: str, **members: object) -> Given:
    return lambda scene: GOOD[operation](scene).but(json=members)


def more(operation: str, **members: object) -> Given:
    def given(scene: Scene) -> Call:
        call = GOOD[operation](scene)
        return call.but(json={**call.json, **members})

    return given


def by_manager(operation: str) -> Given:
    """The good call, by somebody who manages the event and does not own it."""

    def given(scene: Scene) -> Call:
        call = GOOD[operation](scene)
        helper(scene, int(call.path.split("/")[2]), who=scene.cleo)
        return call.but(who=scene.cleo)

    return given


def invites_a_manager(scene: Scene) -> Call:
    call = by_manager("POST /events/{id}/invitations/")(scene)
    return call.but(json={**call.json, "role": "manager"})


def withdraws_a_manager(scene: Scene) -> Call:
    event = scene.event()
    helper(scene, event, who=scene.cleo)
    path = f"/events/{event}/invitations/{offer(scene, event, role='manager')}/"
    return Call("DELETE", path, scene.cleo)


def again(operation: str) -> Given:
    def given(scene: Scene) -> Call:
        call = GOOD[operation](scene)
        scene.made(call)
        return call

    return given


def other_address(path: str) -> Given:
    return lambda scene: answer(path)(scene).but(who=scene.cleo)


def widened(scene: Scene) -> Call:
    return GOOD["PATCH /users/me/keys/{id}/"](scene).but(json={"scopes": ["feed", "checkin"]})


def many_keys(scene: Scene) -> Call:
    scene.database.execute(
        "INSERT INTO accounts_apikey (user_id, name, digest, scopes, created_at, expires_at) "
        "SELECT %s, 'k', '', ARRAY['feed'], now(), now() + interval '1 day' FROM generate_series(1, 50)",
        [scene.spare.id],
    )
    scene.database.commit()
    return GOOD["POST /users/me/keys/"](scene).but(who=scene.spare)


def many_passes(scene: Scene) -> Call:
    call = door_pass(scene)
    scene.database.execute(
        "INSERT INTO events_doorpass (event_id, label, digest, created_at, expires_at) "
        "SELECT %s, 'x', '', now(), now() + interval '1 day' FROM generate_series(1, 50)",
        [int(call.path.split("/")[2])],
    )
    scene.database.commit()
    return call


def owner_accepts(scene: Scene) -> Call:
    """Somebody is asked to take over an event, and owns it when they answer."""
    who = verified(scene, scene.person())
    event = scene.event()
    invitation = offer(scene, event, who)
    for table in ("events_event SET organizer_id", "events_invitation SET owner_id"):
        column = "id" if "events_event" in table else "event_id"
        scene.database.execute(f"UPDATE {table} = %s WHERE {column} = %s", [who.id, event])
    scene.database.commit()
    return Call("POST", "/invitations/accept/", who, json={"token": token(scene, invitation)})


OWN: dict[str, dict[str, Given]] = {
    "GET /users/me/keys/": {"invalid": lambda scene: Call("GET", "/users/me/keys/?page_size=0", scene.ada)},
    "POST /users/me/keys/": {
        "invalid": more("POST /users/me/keys/", scopes=["gone"]),
        "wrong_password": more("POST /users/me/keys/", password="wrong"),
        "invalid_token": more("POST /users/me/keys/", proof="junk"),
        "out_of_range": more("POST /users/me/keys/", expires_at="2020-01-01T00:00:00Z"),
        "too_many_keys": many_keys,
    },
    "PATCH /users/me/keys/{id}/": {
        "invalid": body("PATCH /users/me/keys/{id}/", name="a\nb"),
        "cannot_widen": widened,
    },
    "GET /users/me/team/": {"invalid": lambda scene: Call("GET", "/users/me/team/?page_size=0", scene.ada)},
    "PATCH /users/me/team/{member}/": {"invalid": body("PATCH /users/me/team/{member}/", role="owner")},
    "GET /users/me/invitations/": {
        "invalid": lambda scene: Call("GET", "/users/me/invitations/?page_size=0", scene.ada)
    },
    "POST /users/me/invitations/": {
        "invalid": more("POST /users/me/invitations/", role="owner"),
        "already_in_team": lambda scene: my_invite(scene).but(json={"email": scene.ada.email, "role": "door"}),
        "invitation_open": again("POST /users/me/invitations/"),
    },
    "GET /users/me/roles/": {"invalid": lambda scene: Call("GET", "/users/me/roles/?page_size=0", scene.ada)},
    **{
        f"GET /events/{{id}}/{path}/": list_provocations(path)
        for path in ("history", "team", "invitations", "door-passes")
    },
    "GET /registrations/{id}/history/": {
        "invalid": lambda scene: GOOD["GET /registrations/{id}/history/"](scene).but(query="page_size=0")
    },
    "PATCH /events/{id}/team/{member}/": {
        "invalid": body("PATCH /events/{id}/team/{member}/", role="owner"),
        "permission_denied": by("PATCH /events/{id}/team/{member}/", "cleo"),
        "not_your_team": by_manager("PATCH /events/{id}/team/{member}/"),
    },
    "DELETE /events/{id}/team/{member}/": {
        "permission_denied": by("DELETE /events/{id}/team/{member}/", "cleo"),
        "not_your_team": by_manager("DELETE /events/{id}/team/{member}/"),
    },
    "POST /events/{id}/invitations/": {
        "invalid": more("POST /events/{id}/invitations/", role="owner"),
        "permission_denied": by("POST /events/{id}/invitations/", "cleo"),
        "not_your_team": invites_a_manager,
        "already_in_team": lambda scene: invite(scene).but(json={"email": scene.ada.email, "role": "door"}),
        "invitation_open": again("POST /events/{id}/invitations/"),
    },
    "DELETE /events/{id}/invitations/{invitation}/": {
        "permission_denied": by("DELETE /events/{id}/invitations/{invitation}/", "cleo"),
        "not_your_team": withdraws_a_manager,
    },
    "POST /events/{id}/handover/": {
        "invalid": body("POST /events/{id}/handover/", email="x"),
        "permission_denied": by("POST /events/{id}/handover/", "cleo"),
        "not_your_team": by_manager("POST /events/{id}/handover/"),
        "handover_open": again("POST /events/{id}/handover/"),
        "owner_stays": lambda scene: handover(scene).but(json={"email": scene.ada.email}),
    },
    "DELETE /events/{id}/handover/": {
        "permission_denied": by("DELETE /events/{id}/handover/", "cleo"),
        "not_your_team": by_manager("DELETE /events/{id}/handover/"),
    },
    "POST /events/{id}/door-passes/": {
        "invalid": body("POST /events/{id}/door-passes/", label=""),
        "permission_denied": by("POST /events/{id}/door-passes/", "cleo"),
        "out_of_range": more("POST /events/{id}/door-passes/", expires_at="2020-01-01T00:00:00Z"),
        "too_many_passes": many_passes,
    },
    "DELETE /events/{id}/door-passes/{door_pass}/": {
        "permission_denied": by("DELETE /events/{id}/door-passes/{door_pass}/", "cleo")
    },
    "GET /invitations/": {"invalid": lambda scene: Call("GET", "/invitations/?page_size=0", scene.ada)},
    "POST /invitations/accept/": {
        "invalid": body("POST /invitations/accept/"),
        "invalid_token": body("POST /invitations/accept/", token="junk"),
        "other_address": other_address("/invitations/accept/"),
        "owner_stays": owner_accepts,
    },
    "POST /invitations/decline/": {
        "invalid": body("POST /invitations/decline/"),
        "invalid_token": body("POST /invitations/decline/", token="junk"),
        "other_address": other_address("/invitations/decline/"),
    },
}
