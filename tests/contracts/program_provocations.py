"""As `provocations`, for the feed and webhooks."""

from typing import Any

from jointoit.journal.feed import Cursor
from tests.contracts.scene import Call, Given, Person, Scene

HOOK: dict[str, Any] = {"url": "https://hooks.example.org/", "types": ["event.changed"]}


def made(scene: Scene, who: Person | None = None) -> int:
    """The id of a webhook of ada's, who never has more than a few."""
    scene.database.execute("DELETE FROM webhooks_message")
    scene.database.execute("DELETE FROM webhooks_webhook")
    scene.database.commit()
    return int(scene.made(Call("POST", "/webhooks/", who or scene.ada, json=HOOK))["id"])


def create(scene: Scene) -> Call:
    made(scene)
    return Call("POST", "/webhooks/", scene.ada, json=HOOK)


def hook(method: str, path: str = "", **body: object) -> Given:
    return lambda scene: Call(method, f"/webhooks/{made(scene)}/{path}", scene.ada, json=body or None)


def tested(scene: Scene) -> Call:
    """An address to which nothing is sent, and no name that has to be found."""
    pk = made(scene)
    scene.database.execute("UPDATE webhooks_webhook SET url = 'https://127.0.0.1:1/'")
    scene.database.commit()
    return Call("POST", f"/webhooks/{pk}/test/", scene.ada)


def redeliver(scene: Scene) -> Call:
    pk = made(scene)
    [(message,)] = scene.database.execute(
        "INSERT INTO webhooks_message (webhook_id, fact_id, type, body, give_up_at) "
        "VALUES (%s, 1, 'event.changed', '{}', now()) RETURNING message_id",
        [pk],
    ).fetchall()
    scene.database.commit()
    return Call("POST", f"/webhooks/{pk}/deliveries/msg_{message.hex}/redeliver/", scene.ada)


def to_disabled(scene: Scene) -> Call:
    call = redeliver(scene)
    scene.made(Call("PATCH", f"/{'/'.join(call.path.split('/')[1:3])}/", scene.ada, json={"enabled": False}))
    return call


def eleventh(scene: Scene) -> Call:
    call = create(scene)
    scene.database.execute(
        "INSERT INTO webhooks_webhook (owner_id, url, types, seed, previous_seed, enabled, disabled_reason, failures, "
        "created_at) SELECT %s, '', '{event.published}', '', '', true, '', 0, now() FROM generate_series(1, 9)",
        [scene.ada.id],
    )
    scene.database.commit()
    return call


def with_body(operation: str, **members: object) -> Given:
    def given(scene: Scene) -> Call:
        call = GOOD[operation](scene)
        return call.but(json={**(call.json or {}), **members})

    return given


def expired(scene: Scene) -> Call:
    with scene.its_keys():
        return Call("GET", f"/feed/?cursor={Cursor(era='of another').write()}")


def page_size(operation: str) -> Given:
    return lambda scene: GOOD[operation](scene).but(query="page_size=0")


GOOD: dict[str, Given] = {
    "GET /feed/": lambda scene: Call("GET", "/feed/", scene.ada),
    "GET /webhooks/": lambda scene: Call("GET", "/webhooks/", scene.ada),
    "POST /webhooks/": create,
    "GET /webhooks/{id}/": hook("GET"),
    "PATCH /webhooks/{id}/": hook("PATCH", types=["event.deleted"]),
    "DELETE /webhooks/{id}/": hook("DELETE"),
    "POST /webhooks/{id}/rotate/": hook("POST", "rotate/"),
    "POST /webhooks/{id}/test/": tested,
    "GET /webhooks/{id}/deliveries/": hook("GET", "deliveries/"),
    "POST /webhooks/{id}/deliveries/{message}/redeliver/": redeliver,
}
OWN: dict[str, dict[str, Given]] = {
    "GET /feed/": {"invalid": page_size("GET /feed/"), "cursor_expired": expired},
    "GET /webhooks/": {"invalid": page_size("GET /webhooks/")},
    "POST /webhooks/": {
        "invalid": with_body("POST /webhooks/", types=["gone"]),
        "address_not_allowed": with_body("POST /webhooks/", url="http://127.0.0.1/"),
        "not_managed": with_body("POST /webhooks/", events=[2**62]),
        "too_many_webhooks": eleventh,
    },
    "PATCH /webhooks/{id}/": {
        "invalid": with_body("PATCH /webhooks/{id}/", enabled="yes"),
        "address_not_allowed": with_body("PATCH /webhooks/{id}/", url="https://[::1]/"),
        "not_managed": with_body("PATCH /webhooks/{id}/", events=[2**62]),
    },
    "GET /webhooks/{id}/deliveries/": {"invalid": page_size("GET /webhooks/{id}/deliveries/")},
    "POST /webhooks/{id}/deliveries/{message}/redeliver/": {"webhook_disabled": to_disabled},
}
