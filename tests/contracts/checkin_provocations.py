"""As `provocations`, for tickets and the door."""

from typing import Any
from uuid import uuid4

from tests.contracts.scene import Call, Given, Scene

FOUND_BY_CODE = {"code": "7K2M-9QF3-8D"}
SCANS = "/events/{}/checkin/scans/"


def door(path: str, *, query: str = "") -> Given:
    return lambda scene: Call("GET", f"/events/{scene.event()}/checkin/{path}", scene.ada).but(query=query)


def scanned(scene: Scene) -> Call:
    return Call("POST", SCANS.format(scene.event()), scene.ada, json={"id": str(uuid4()), **FOUND_BY_CODE})


def batch(scene: Scene) -> Call:
    body = {"device_time": "2030-01-01T00:00:00Z", "scans": [{"id": str(uuid4()), **FOUND_BY_CODE}]}
    return Call("POST", f"{SCANS.format(scene.event())}batch/", scene.ada, json=body)


def undone(scene: Scene) -> Call:
    call = scanned(scene)
    return Call("DELETE", f"{call.path}{scene.made(call)['id']}/", scene.ada)


def ticket(method: str, path: str) -> Given:
    return lambda scene: Call(method, f"/registrations/{scene.registration()}/{path}", scene.ada)


GOOD: dict[str, Given] = {
    "GET /events/{id}/checkin/": door(""),
    "GET /events/{id}/checkin/scans/": door("scans/"),
    "POST /events/{id}/checkin/scans/": scanned,
    "POST /events/{id}/checkin/scans/batch/": batch,
    "DELETE /events/{id}/checkin/scans/{scan}/": undone,
    "GET /events/{id}/checkin/roster/": door("roster/"),
    "GET /events/{id}/checkin/search/": door("search/", query="q=ada"),
    "GET /registrations/{id}/ticket/": ticket("GET", "ticket/"),
    "GET /registrations/{id}/ticket.svg": ticket("GET", "ticket.svg"),
    "GET /registrations/{id}/ticket.png": ticket("GET", "ticket.png"),
    "POST /registrations/{id}/ticket/reissue/": ticket("POST", "ticket/reissue/"),
    "GET /tickets/keys/": lambda scene: Call("GET", "/tickets/keys/"),
}


def again(scene: Scene, **changes: Any) -> Call:
    """The same id, sent before."""
    call = scanned(scene)
    scene.made(call)
    return call.but(json=call.json | changes)


def by_stranger(operation: str) -> Given:
    return lambda scene: GOOD[operation](scene).but(who=scene.cleo)


def too_late(scene: Scene) -> Call:
    """A helper's own scan, of eleven minutes ago."""
    event = scene.event()
    scene.database.execute(
        "INSERT INTO events_membership (owner_id, event_id, member_id, role, since) VALUES (%s, %s, %s, 'door', now())",
        [scene.ada.id, event, scene.ben.id],
    )
    scene.database.commit()
    made = scene.made(Call("POST", SCANS.format(event), scene.ben, json={"id": str(uuid4()), **FOUND_BY_CODE}))
    scene.database.execute(
        "UPDATE checkin_scan SET received_at = received_at - interval '11 minutes', "
        "scanned_at = scanned_at - interval '11 minutes' WHERE id = %s",
        [made["id"]],
    )
    scene.database.commit()
    return Call("DELETE", f"{SCANS.format(event)}{made['id']}/", scene.ben)


def waiting(method: str, path: str) -> Given:
    """Without a seat there is no ticket."""
    return lambda scene: Call(method, f"/registrations/{scene.registration(requires_approval=True)}/{path}", scene.ada)


def let_in(scene: Scene) -> Call:
    event = scene.event(checkin_opens_at="2020-01-01T00:00:00Z")
    registration = scene.registration(event)
    body = {"id": str(uuid4()), "registration": registration}
    scene.made(Call("POST", SCANS.format(event), scene.ada, json=body))
    return Call("POST", f"/registrations/{registration}/ticket/reissue/", scene.ada)


PICTURES = ("ticket/", "ticket.svg", "ticket.png")
OWN: dict[str, dict[str, Given]] = {
    **{operation: {"permission_denied": by_stranger(operation)} for operation in GOOD if "/checkin/" in operation},
    **{f"GET /registrations/{{id}}/{path}": {"no_ticket": waiting("GET", path)} for path in PICTURES},
    "POST /registrations/{id}/ticket/reissue/": {
        "no_ticket": waiting("POST", "ticket/reissue/"),
        "already_admitted": let_in,
    },
}
OWN["GET /events/{id}/checkin/scans/"] |= {
    "invalid": door("scans/", query="result=gone"),
}
OWN["POST /events/{id}/checkin/scans/"] |= {
    "invalid": lambda scene: scanned(scene).but(json={"id": "x"}),
    "scan_id_reused": lambda scene: again(scene, gate="North"),
    "200 application/json": again,
}
OWN["POST /events/{id}/checkin/scans/batch/"] |= {"invalid": lambda scene: batch(scene).but(json={"scans": []})}
OWN["DELETE /events/{id}/checkin/scans/{scan}/"] |= {"too_late_to_undo": too_late}
OWN["GET /events/{id}/checkin/roster/"] |= {
    "invalid": door("roster/", query="page_size=0"),
    "resync": door("roster/", query="since=x"),
}
OWN["GET /events/{id}/checkin/search/"] |= {"invalid": door("search/", query="q=a")}
