"""Passwords are hashed by OWASP's parameters, a few at a time, whoever asks."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from django.contrib.auth import hashers
from django.contrib.auth.hashers import check_password, make_password
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from config.env import ROOT
from jointoit.accounts import hashing
from jointoit.accounts.hashing import HashingBusy, HashingLine
from tests.client import ServiceClient

from .conftest import ME, PASSWORD, MakeUser, WithToken

OURS = ["jointoit.accounts.hashing.Argon2PasswordHasher", "jointoit.accounts.hashing.PBKDF2PasswordHasher"]


class Held:
    """Hashes that last until they are let go."""

    def __init__(self, line: HashingLine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.line, self.go = line, Event()
        monkeypatch.setattr(hashing, "line", line)
        self.threads = ThreadPoolExecutor(10)

    def begin(self, number: int, *, places: int = 1) -> list[Any]:
        begun = [Event() for _ in range(number)]
        running = [self.threads.submit(self.line.run, self.work, event, places=places) for event in begun]
        assert all(event.wait(10) for event in begun)
        return running

    def work(self, begun: Event) -> bool:
        begun.set()
        return self.go.wait(10)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Any:
    settings.PASSWORD_HASHERS = OURS
    held = Held(HashingLine(patience=0.01), monkeypatch)
    yield held
    held.go.set()
    held.threads.shutdown()


def test_a_hash_takes_what_owasp_says(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = OURS

    assert make_password(PASSWORD).startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")


def test_an_old_hash_is_renewed_at_log_in(make_user: MakeUser, settings: Settings, api: ServiceClient) -> None:
    user = make_user(username="ada")
    settings.PASSWORD_HASHERS = OURS
    for old in (hashers.Argon2PasswordHasher(), hashers.PBKDF2PasswordHasher()):
        user.password = old.encode(PASSWORD, "saltsaltsaltsalt")
        user.__class__.objects.update(password=user.password)

        assert api.post("/api/token/", {"username": "ada", "password": PASSWORD}).status_code == 200

        user.refresh_from_db()
        assert (user.password.split("$")[3], user.token_epoch) == ("m=19456,t=2,p=1", 0)


def test_two_are_hashed_at_once_one_waits_and_others_are_told(held: Held) -> None:
    held.line.patience = 10
    running = held.begin(2)
    waiting = held.threads.submit(check_password, PASSWORD, "!")
    while not held.line.waiting:
        pass

    with pytest.raises(HashingBusy):
        check_password(PASSWORD, "!")

    held.go.set()
    assert [task.result() for task in (*running, waiting)] == [True, True, False]
    assert (held.line.free, held.line.waiting) == (2, 0)


def test_who_waits_is_told_after_a_while(held: Held) -> None:
    held.begin(2)

    with pytest.raises(HashingBusy):
        make_password(PASSWORD)
    assert held.line.waiting == 0


def test_an_old_and_large_hash_takes_both_places(held: Held) -> None:
    old = hashers.Argon2PasswordHasher().encode(PASSWORD, "saltsaltsaltsalt")
    held.begin(1)

    with pytest.raises(HashingBusy):
        check_password(PASSWORD, old)
    held.go.set()
    held.line.patience = 10
    assert check_password(PASSWORD, old)


CALLS = {
    "log-in": lambda api, me: api.post("/api/token/", {"username": "ada", "password": PASSWORD}),
    "log-in of nobody": lambda api, me: api.post("/api/token/", {"username": "nobody", "password": PASSWORD}),
    "sign-up": lambda api, me: api.post(
        "/users/register/", {"username": "eve", "email": "eve@example.org", "password": "weaving algebra"}
    ),
    "password": lambda api, me: me.post(
        f"{ME}password/", {"current_password": PASSWORD, "new_password": "weaving algebra"}
    ),
    "profile": lambda api, me: me.patch(ME, {"current_password": PASSWORD}),
    "closing": lambda api, me: me.delete(ME, {"password": PASSWORD}),
    "key": lambda api, me: me.post(f"{ME}keys/", {"name": "x", "scopes": ["feed"], "password": PASSWORD}),
}


@pytest.mark.parametrize("call", CALLS)
def test_whatever_needs_a_hash_stands_in_the_same_line(
    held: Held, make_user: MakeUser, with_token: WithToken, api: ServiceClient, call: str
) -> None:
    user = make_user(username="ada")
    me = with_token(user)
    held.begin(2)

    answer = CALLS[call](api, me)

    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "busy", "1")
    user.refresh_from_db()
    assert (user.is_active, me.get(ME).status_code) == (True, 200)


def test_the_admin_stands_in_it_as_well(held: Held, make_user: MakeUser) -> None:
    root = make_user(username="root", is_staff=True, is_superuser=True)
    signed_in = Client()
    signed_in.force_login(root)
    held.begin(2)

    page = Client().post(reverse("admin:login"), {"username": "root", "password": PASSWORD})
    change = signed_in.post(
        reverse("admin:password_change"),
        {"old_password": PASSWORD, "new_password1": "weaving algebra", "new_password2": "weaving algebra"},
    )

    assert (page.status_code, HashingBusy.message in page.text) == (200, True)
    assert (change.status_code, change.text, change["Retry-After"]) == (503, HashingBusy.message, "1")


def test_a_refusal_because_of_the_line_is_no_failed_log_in(
    held: Held, make_user: MakeUser, api: ServiceClient, rates: Any
) -> None:
    make_user(username="ada")
    rates(login="1/day", account="1/day")
    running = held.begin(2)
    body = {"username": "ada", "password": PASSWORD}
    assert [api.post("/api/token/", body).status_code for _ in range(3)] == [503, 503, 503]

    held.go.set()
    assert [task.result() for task in running] == [True, True]
    assert api.post("/api/token/", body).status_code == 200


#: In a process of its own: 20 log-ins at once, and by how many MiB its memory grew at its peak.
MEASURE = '''
import resource, sys, threading
import django
from django.conf import settings
settings.configure(PASSWORD_HASHERS=sys.argv[1].split(","))
from django.contrib.auth.hashers import check_password

def peak():
    """Linux counts in ru_maxrss what the parent took before this program began."""
    if sys.platform != "linux":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024

def log_in():
    try:
        check_password("correct-horse-9", sys.argv[2])
    except Exception as busy:
        assert type(busy).__name__ == "HashingBusy", busy

check_password("x", "!")
threads = [threading.Thread(target=log_in) for _ in range(20)]
before = peak()
for thread in threads: thread.start()
for thread in threads: thread.join()
print(peak() - before)
'''


def peak(hash_of: Any, hasher: str) -> float:
    encoded = hash_of.encode(PASSWORD, "saltsaltsaltsalt")
    command = [sys.executable, "-c", MEASURE, hasher, encoded]
    return float(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)


def test_twenty_log_ins_at_once_take_little_memory() -> None:
    ours, django = hashing.Argon2PasswordHasher(), hashers.Argon2PasswordHasher()

    assert peak(ours, OURS[0]) < 64
    assert peak(django, OURS[0]) < 128
    assert peak(django, "django.contrib.auth.hashers.Argon2PasswordHasher") > 300  # the control: Django's own
