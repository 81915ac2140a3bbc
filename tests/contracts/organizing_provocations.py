"""As `provocations`, for the organizer's tools."""

from threading import Timer
from typing import Any

from jointoit.mail import links
from tests.contracts.provocations import too_many_events
from tests.contracts.scene import BEGUN, Call, Given, Person, Scene
from tests.contracts.team_provocations import verified
from tests.live import PASSWORD

ASKED = {"label": "What do you eat?", "type": "choice", "options": ["everything", "vegan"], "required": True}
NEWS = {"subject": "The room", "text": "Second floor."}
LATER = "2099-06-17T18:00:00Z"


def event_call(method: str, path: str, json: Any = None) -> Given:
    return lambda scene: Call(method, f"/events/{scene.event()}/{path}", scene.ada, json=json)


def question(scene: Scene, event: int | None = None, **fields: Any) -> str:
    """The address of a question of an event of ada's."""
    place = f"/events/{event or scene.event()}/questions/"
    return f"{place}{scene.made(Call('POST', place, scene.ada, json=ASKED | fields))['id']}/"


def question_call(method: str, **body: Any) -> Given:
    return lambda scene: Call(method, question(scene), scene.ada, json=body or None)


def answered(method: str, **body: Any) -> Given:
    def given(scene: Scene) -> Call:
        event = scene.event()
        path = question(scene, event)
        answers = {"answers": {path.split("/")[-2]: "vegan"}}
        scene.made(Call("POST", f"/events/{event}/register/", scene.ben, json=answers))
        return Call(method, path, scene.ada, json=body or None)

    return given


def many_questions(scene: Scene, event: int) -> int:
    scene.database.execute(
        "INSERT INTO events_question (event_id, label, help, type, required, options, position, archived) "
        "SELECT %s, 'q', '', 'text', false, '{}', 1, false FROM generate_series(1, 30)",
        [event],
    )
    scene.database.commit()
    return event


def question_too_many(scene: Scene) -> Call:
    return Call("POST", f"/events/{many_questions(scene, scene.event())}/questions/", scene.ada, json=ASKED)


def brought_back(scene: Scene) -> Call:
    event = scene.event()
    path = question(scene, event, archived=True)
    many_questions(scene, event)
    return Call("PATCH", path, scene.ada, json={"archived": False})


def seat(scene: Scene) -> int:
    return scene.registration(allow_transfers=True)


def transfer(scene: Scene) -> Call:
    address = {"email": scene.person().email}
    return Call("POST", f"/registrations/{seat(scene)}/transfer/", scene.ben, json=address)


def offered(scene: Scene) -> Call:
    call = transfer(scene)
    scene.made(call)
    return call


def transfer_withdrawn(scene: Scene) -> Call:
    return Call("DELETE", offered(scene).path, scene.ben)


def transfer_answer(path: str, who: Person | None = None) -> Given:
    def given(scene: Scene) -> Call:
        friend = verified(scene, who or scene.person())
        call = transfer(scene)
        made = scene.made(call.but(json={"email": friend.email}))
        with scene.its_keys():
            return Call("POST", path, friend, json={"token": links.mint_transfer(made["id"])})

    return given


def changed(operation: str, statement: Any) -> Given:
    """The good call, once time has gone on for the event whose seat it is about."""

    def given(scene: Scene) -> Call:
        call = GOOD[operation](scene)
        newest = scene.database.execute("SELECT max(id) FROM events_event").fetchone()
        assert newest
        scene.turned(statement, int(newest[0]))
        return call

    return given


LET_IN = (
    "INSERT INTO checkin_scan (id, event_id, registration_id, result, entered, scanned_at, received_at, actor_kind, "
    "content) SELECT gen_random_uuid(), event_id, id, 'admitted', true, now(), now(), 'system', '' "
    "FROM events_registration WHERE event_id = %s"
)
GIVEN_UP = (
    "UPDATE events_registration SET status = 'cancelled', queue_number = NULL "
    "WHERE event_id = %s AND status = 'confirmed'"
)


def registered_already(scene: Scene) -> Call:
    call = GOOD["POST /transfers/accept/"](scene)
    newest = scene.database.execute("SELECT max(id) FROM events_event").fetchone()
    assert newest
    assert call.who
    scene.registration(int(newest[0]), call.who)
    return call


def by_cleo(operation: str) -> Given:
    return lambda scene: GOOD[operation](scene).but(who=scene.cleo)


def body(operation: str, **members: object) -> Given:
    return lambda scene: GOOD[operation](scene).but(json=members)


def again(operation: str, times: int) -> Given:
    def given(scene: Scene) -> Call:
        call = GOOD[operation](scene)
        for _ in range(times):
            scene.made(call)
        return call

    return given


def added(scene: Scene, event: int | None = None, **members: object) -> Call:
    place = f"/events/{event or scene.event()}/registrations/"
    person = {"email": f"guest-{scene.person().name}@example.org"}
    return Call("POST", place, scene.ada, json=person | members)


GOOD: dict[str, Given] = {
    "GET /events/{id}/questions/": event_call("GET", "questions/"),
    "POST /events/{id}/questions/": event_call("POST", "questions/", ASKED),
    "PATCH /events/{id}/questions/{question}/": question_call("PATCH", label="Food?"),
    "DELETE /events/{id}/questions/{question}/": question_call("DELETE"),
    "GET /events/{id}/announcements/": event_call("GET", "announcements/"),
    "POST /events/{id}/announcements/": event_call("POST", "announcements/", NEWS),
    "POST /events/{id}/duplicate/": event_call("POST", "duplicate/", {"date": LATER}),
    "POST /events/{id}/registrations/": added,
    "POST /events/{id}/registrations/steps/": event_call(
        "POST", "registrations/steps/", {"ids": [1], "status": "confirmed"}
    ),
    "GET /events/{id}/statistics/": event_call("GET", "statistics/"),
    "POST /registrations/{id}/mail/": lambda scene: Call(
        "POST", f"/registrations/{scene.registration()}/mail/", scene.ben
    ),
    "POST /registrations/{id}/transfer/": transfer,
    "DELETE /registrations/{id}/transfer/": transfer_withdrawn,
    "POST /transfers/accept/": transfer_answer("/transfers/accept/"),
    "POST /transfers/decline/": transfer_answer("/transfers/decline/"),
    "POST /users/me/export/": lambda scene: Call("POST", "/users/me/export/", scene.ada, json={"password": PASSWORD}),
}


def questions_changed(scene: Scene) -> Call:
    """Somebody asks for a seat while a question is being added that must be answered."""
    event = scene.event()
    scene.hold("UPDATE events_event SET question_count = 1, revision = revision + 1 WHERE id = %s", event)
    scene.hold(
        "INSERT INTO events_question (event_id, label, help, type, required, options, position, archived) "
        "VALUES (%s, 'q', '', 'text', true, '{}', 1, false)",
        event,
    )
    Timer(0.5, scene.database.commit).start()
    return Call("POST", f"/events/{event}/register/", scene.ben)


def too_late(method: str) -> Given:
    def given(scene: Scene) -> Call:
        registration = scene.registration(cancel_until="2099-05-17T18:00:00Z")
        scene.database.execute(
            "UPDATE events_event SET cancel_until = now() WHERE id = "
            "(SELECT event_id FROM events_registration WHERE id = %s)",
            [registration],
        )
        scene.database.commit()
        return Call(method, f"/registrations/{registration}/", scene.ben, json={"status": "cancelled"})

    return given


def answered_late(method: str) -> Given:
    def given(scene: Scene) -> Call:
        event = scene.event()
        path = question(scene, event, required=False)
        registration = scene.registration(event)
        scene.turned(BEGUN, event)
        body = {"status": "confirmed", "answers": {path.split("/")[-2]: "vegan"}}
        return Call(method, f"/registrations/{registration}/", scene.ben, json=body)

    return given


def mail_of_ended(scene: Scene) -> Call:
    registration = scene.registration()
    path = f"/registrations/{registration}/"
    scene.made(Call("PATCH", path, scene.ben, json={"status": "cancelled"}))
    return Call("POST", f"{path}mail/", scene.ben)


def moved_too_far(scene: Scene) -> Call:
    event = scene.event(date="2099-01-01T00:00:00Z", ends_at="2100-02-05T00:00:00Z")
    return Call("POST", f"/events/{event}/duplicate/", scene.ada, json={"date": "9998-12-01T00:00:00Z"})


def copied_too_often(scene: Scene) -> Call:
    call = too_many_events(scene)
    newest = scene.database.execute("SELECT max(id) FROM events_event").fetchone()
    assert newest
    return call.but(path=f"/events/{newest[0]}/duplicate/", json={"date": LATER})


def without_a_seat(scene: Scene) -> Call:
    registration = scene.registration(requires_approval=True, allow_transfers=True)
    return Call("POST", f"/registrations/{registration}/transfer/", scene.ben, json={"email": "x@example.org"})


OWN: dict[str, dict[str, Given]] = {
    "POST /events/{id}/register/": {"questions_changed": questions_changed},
    **{
        f"{method} /registrations/{{id}}/": {
            "too_late_to_cancel": too_late(method),
            "event_started": answered_late(method),
        }
        for method in ("PUT", "PATCH")
    },
    "GET /events/{id}/questions/": {
        "invalid": lambda scene: GOOD["GET /events/{id}/questions/"](scene).but(query="page_size=0")
    },
    "POST /events/{id}/questions/": {
        "invalid": body("POST /events/{id}/questions/", label=""),
        "permission_denied": by_cleo("POST /events/{id}/questions/"),
        "needs_options": body("POST /events/{id}/questions/", label="Food?", type="choice"),
        "too_many_questions": question_too_many,
    },
    "PATCH /events/{id}/questions/{question}/": {
        "invalid": body("PATCH /events/{id}/questions/{question}/", type="riddle"),
        "permission_denied": by_cleo("PATCH /events/{id}/questions/{question}/"),
        "needs_options": body("PATCH /events/{id}/questions/{question}/", options=[]),
        "question_has_answers": answered("PATCH", options=["vegan"]),
        "too_many_questions": brought_back,
    },
    "DELETE /events/{id}/questions/{question}/": {
        "permission_denied": by_cleo("DELETE /events/{id}/questions/{question}/"),
        "question_has_answers": answered("DELETE"),
    },
    "GET /events/{id}/announcements/": {
        "invalid": lambda scene: GOOD["GET /events/{id}/announcements/"](scene).but(query="page_size=0"),
        "permission_denied": by_cleo("GET /events/{id}/announcements/"),
    },
    "POST /events/{id}/announcements/": {
        "invalid": body("POST /events/{id}/announcements/", subject="a\r\nBcc: b", text="x"),
        "permission_denied": by_cleo("POST /events/{id}/announcements/"),
    },
    "POST /events/{id}/duplicate/": {
        "invalid": body("POST /events/{id}/duplicate/", date="soon"),
        "in_the_past": body("POST /events/{id}/duplicate/", date="2020-01-01T00:00:00Z"),
        "too_far_away": moved_too_far,
        "too_many_events": copied_too_often,
        "permission_denied": by_cleo("POST /events/{id}/duplicate/"),
    },
    "POST /events/{id}/registrations/": {
        "invalid": body("POST /events/{id}/registrations/", email="x"),
        "link_in_name": body("POST /events/{id}/registrations/", email="joan@example.org", last_name="www.evil.com"),
        "permission_denied": by_cleo("POST /events/{id}/registrations/"),
        "already_registered": again("POST /events/{id}/registrations/", 1),
        "event_cancelled": lambda scene: added(scene, scene.cancelled()),
        "event_full": lambda scene: added(scene, scene.full()),
        "event_over": lambda scene: added(
            scene, scene.turned("UPDATE events_event SET date = now() - interval '2 days' WHERE id = %s", scene.event())
        ),
    },
    "POST /events/{id}/registrations/steps/": {
        "invalid": body("POST /events/{id}/registrations/steps/", ids=[], status="confirmed"),
        "permission_denied": by_cleo("POST /events/{id}/registrations/steps/"),
    },
    "GET /events/{id}/statistics/": {
        "invalid": lambda scene: GOOD["GET /events/{id}/statistics/"](scene).but(query="bucket=second"),
        "permission_denied": by_cleo("GET /events/{id}/statistics/"),
    },
    "POST /registrations/{id}/mail/": {"impossible_step": mail_of_ended},
    "POST /registrations/{id}/transfer/": {
        "invalid": body("POST /registrations/{id}/transfer/", email="x"),
        "already_admitted": changed("POST /registrations/{id}/transfer/", LET_IN),
        "no_ticket": without_a_seat,
        "transfer_open": again("POST /registrations/{id}/transfer/", 1),
        "transfer_to_yourself": lambda scene: transfer(scene).but(json={"email": scene.ben.email}),
        "transfers_closed": changed("POST /registrations/{id}/transfer/", BEGUN),
    },
    "POST /transfers/accept/": {
        "invalid": body("POST /transfers/accept/"),
        "invalid_token": body("POST /transfers/accept/", token="junk"),
        "other_address": by_cleo("POST /transfers/accept/"),
        "already_admitted": changed("POST /transfers/accept/", LET_IN),
        "already_registered": registered_already,
        "no_ticket": changed("POST /transfers/accept/", GIVEN_UP),
        "transfers_closed": changed("POST /transfers/accept/", BEGUN),
    },
    "POST /transfers/decline/": {
        "invalid": body("POST /transfers/decline/"),
        "invalid_token": body("POST /transfers/decline/", token="junk"),
        "other_address": by_cleo("POST /transfers/decline/"),
    },
    "POST /users/me/export/": {
        "invalid": body("POST /users/me/export/"),
        "wrong_password": body("POST /users/me/export/", password="wrong"),
        "invalid_token": body("POST /users/me/export/", proof="junk"),
    },
}
