"""What an owner, or a key, does with webhooks over HTTP."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from jointoit.accounts import account_closing
from jointoit.accounts.models import ApiKey
from jointoit.journal.writer import TYPES
from jointoit.webhooks import health, signing, trial
from jointoit.webhooks.models import Message, Webhook
from tests.conformance import document
from tests.webhooks.receiver import says

HOOK = {"url": "https://crm.example.org/hooks", "types": ["event.changed", "event.changed", "event.cancelled"]}


@pytest.fixture
def client(make_user, signed_in):
    client = signed_in(user := make_user())
    client.user = user
    return client


def test_a_webhook_is_made_and_its_secret_is_shown_once(client):
    made = client.post("/webhooks/", HOOK)
    shown = made.json()
    secret = shown.pop("secret")

    assert made.status_code == 201
    assert client.get("/webhooks/").json()["results"] == [shown] == [client.get(f"/webhooks/{shown['id']}/").json()]
    assert (shown["types"], shown["events"], shown["enabled"]) == (["event.cancelled", "event.changed"], None, True)
    assert secret.startswith("whsec_")
    assert secret not in repr(Webhook.objects.values_list().get())


@pytest.mark.parametrize(("keys", "reason"), [(True, "reset"), (False, None)])
def test_a_reset_switches_off_what_a_thief_may_have_set_up(client, keys, reason):
    pk = client.post("/webhooks/", HOOK).json()["id"]

    account_closing.end_access(user_ids=[client.user.pk], keys=keys)

    assert (after := client.get(f"/webhooks/{pk}/").json())["disabled_reason"] == reason
    assert (after["enabled"], client.patch(f"/webhooks/{pk}/", {"enabled": True}).json()["enabled"]) == (
        not reason,
        True,
    )


def test_a_secret_is_no_more_without_the_key_of_the_deployment(client, settings):
    secret = client.post("/webhooks/", HOOK).json()["secret"]
    seed = Webhook.objects.get().seed
    same, settings.SECRET_KEY = signing.secret_of(seed), "another" * 10

    assert same == secret != signing.secret_of(seed)


def test_an_eleventh_webhook_is_one_too_many(client):
    statuses = [client.post("/webhooks/", HOOK).status_code for _ in range(11)]

    assert statuses == [201] * 10 + [409]


WRONG: dict[str, list[Any]] = {
    "url": ["", "https://10.0.0.1/", 7, None, "https://x/" + "y" * 2000],
    "types": [[], None, "event.changed", ["event.gone"], [7], {}],
    "events": [[], [0], ["7"], "7", [True], list(range(1, 102))],
    "enabled": ["true", 1, None],
}


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in WRONG.items() for value in values])
def test_a_webhook_with_a_wrong_field_is_refused_by_name(client, field, value):
    answer = client.post("/webhooks/", HOOK | {field: value})

    assert answer.status_code == 400
    assert {entry["pointer"].split("/")[1] for entry in answer.json()["errors"]} == {field}
    assert Webhook.objects.count() == 0


def test_only_events_that_one_manages_can_be_named(client, make_event):
    own, other = make_event(organizer=client.user), make_event()

    assert client.post("/webhooks/", HOOK | {"events": [own.pk, own.pk]}).json()["events"] == [own.pk]
    assert client.post("/webhooks/", HOOK | {"events": [own.pk, other.pk]}).json()["code"] == "not_managed"


def test_a_key_for_some_events_makes_and_sees_webhooks_for_those_alone(client, make_event):
    own, other = make_event(organizer=client.user), make_event(organizer=client.user)
    for_all = client.post("/webhooks/", HOOK).json()["id"]
    key = ApiKey(user=client.user, scopes=["webhooks"], events=[own.pk])
    client.force_authenticate(client.user, key)

    assert client.post("/webhooks/", HOOK).json()["code"] == "not_managed"
    assert client.post("/webhooks/", HOOK | {"events": [other.pk]}).json()["code"] == "not_managed"
    made = client.post("/webhooks/", HOOK | {"events": [own.pk]}).json()["id"]
    assert [each["id"] for each in client.get("/webhooks/").json()["results"]] == [made]
    assert client.get(f"/webhooks/{for_all}/").status_code == 404
    assert client.patch(f"/webhooks/{made}/", {"events": None}).json()["code"] == "not_managed"
    assert client.patch(f"/webhooks/{made}/", {"url": "https://other.example/"}).status_code == 200


def test_enabled_again_a_webhook_begins_without_blame(client, now):
    pk = client.post("/webhooks/", HOOK).json()["id"]
    bad = {"failures": 9, "failing_since": now, "warned_at": now, "paused_until": now, "enabled": False}
    Webhook.objects.update(**bad, disabled_reason="failing")

    shown = client.patch(f"/webhooks/{pk}/", {"enabled": True}).json()

    assert (shown["enabled"], shown["disabled_reason"], shown["failing_since"]) == (True, None, None)
    assert [getattr(Webhook.objects.get(), name) for name in bad] == [0, None, None, None, True]


def test_another_address_begins_without_blame_as_well(client, now):
    pk = client.post("/webhooks/", HOOK).json()["id"]
    Webhook.objects.update(failures=9, failing_since=now, paused_until=now)

    client.patch(f"/webhooks/{pk}/", {"url": "https://other.example"})

    webhook = Webhook.objects.get()
    assert (webhook.url, webhook.failures, webhook.paused_until) == ("https://other.example/", 0, None)


@pytest.mark.parametrize(("status", "state"), [(204, "sent"), (500, "failed"), (410, "failed")])
def test_a_test_says_what_came_back(client, receiver, status, state):
    sink = receiver(says(status, b"" if status == 204 else b"hello"))
    pk = client.post("/webhooks/", HOOK | {"url": sink.url}).json()["id"]

    shown = client.post(f"/webhooks/{pk}/test/").json()

    [received] = sink.received
    assert (shown["state"], shown["status"], shown["answer"]) == (state, status, None if status == 204 else "hello")
    assert (shown["type"], shown["id"], received.message["type"]) == ("webhook.test", received.id, "webhook.test")
    assert client.get(f"/webhooks/{pk}/deliveries/").json()["results"] == [shown]
    assert client.post(f"/webhooks/{pk}/deliveries/{shown['id']}/redeliver/").status_code == 404
    assert Webhook.objects.get().enabled


def test_of_several_tests_at_once_one_is_done(client, receiver):
    pk = client.post("/webhooks/", HOOK | {"url": receiver().url}).json()["id"]
    with trial.slot:
        busy = client.post(f"/webhooks/{pk}/test/")

    assert (busy.status_code, busy.json()["code"], busy["Retry-After"]) == (503, "busy", "5")
    assert client.post(f"/webhooks/{pk}/test/").status_code == 200


def test_the_log_is_narrowed_and_forgotten_after_thirty_days(client, now):
    pk = client.post("/webhooks/", HOOK).json()["id"]
    for number, state in enumerate(["sent", "failed", "sent"]):
        Message.objects.create(webhook_id=pk, fact_id=number, event_id=number, state=state, type="t", give_up_at=now)
    Message.objects.filter(fact_id=0).update(created_at=now - timedelta(days=31))

    def log(query=""):
        return [each["fact"] for each in client.get(f"/webhooks/{pk}/deliveries/{query}").json()["results"]]

    assert (log(), log("?state=sent"), log("?event=1")) == ([2, 1], [2], [1])
    health.prune(now)
    assert Message.objects.count() == 2


def test_nothing_is_sent_again_while_the_webhook_is_disabled(client, now):
    pk = client.post("/webhooks/", HOOK).json()["id"]
    message = Message.objects.create(webhook_id=pk, fact_id=1, give_up_at=now, state="sent")
    message.refresh_from_db()
    path = f"/webhooks/{pk}/deliveries/{message}/redeliver/"
    client.patch(f"/webhooks/{pk}/", {"enabled": False})

    assert client.post(path).json()["code"] == "webhook_disabled"
    client.patch(f"/webhooks/{pk}/", {"enabled": True})
    assert client.post(path).json()["state"] == "pending"


def test_a_closed_account_leaves_no_webhook(client, now):
    client.post("/webhooks/", HOOK)

    account_closing.close(user=client.user, password="correct-horse-9", now=now)

    assert Webhook.objects.count() == 0


def test_invariants_hold_and_find_what_is_broken(client, capsys, now):
    pk = client.post("/webhooks/", HOOK).json()["id"]
    Message.objects.create(webhook_id=pk, fact_id=1, give_up_at=now, state="sent", settled_at=now)
    call_command("check_invariants")
    Message.objects.update(settled_at=None)

    with pytest.raises(CommandError, match="1 violation"):
        call_command("check_invariants")

    assert "is sent, and not settled" in capsys.readouterr().out


def test_the_document_has_an_entry_for_each_type_of_fact(db):
    assert list(document()["webhooks"]) == list(TYPES)
