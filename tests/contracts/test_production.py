"""What holds where DEBUG is off: no start without good secrets, a clean deployment check, no secret in a log."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from django.contrib.admin import site
from django.urls import URLPattern, get_resolver

from config.env import ROOT
from tests.live import PASSWORD, UNLIMITED, Live, production, serve


def check(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = production(folder, DATABASE_URL="postgresql:///x", REDIS_URL="redis://127.0.0.1:1/0", **variables)
    words = [sys.executable, "-W", "error", "-m", "jointoit", "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(
        words, cwd=ROOT, env={"ENV_FILE": "/dev/null", **environment}, capture_output=True, text=True, check=False
    )


def test_the_deployment_check_is_clean(tmp_path: Path) -> None:
    assert check(tmp_path).returncode == 0


FRIEND = "https://app.example.org"
PROXIED = {"TRUSTED_PROXIES": "1", "CORS_ALLOWED_ORIGINS": FRIEND}
ALLOW = ["GET", "HEAD", "OPTIONS", "POST"]
WEAK = {
    "missing": "",
    "short": "short",
    "one letter": "a" * 64,
    "of development": "development-" + "only" * 12,
    "of Django": "django-insecure-" + "k3y" * 20,
    "a placeholder": "change-me-" * 7,
}


@pytest.mark.parametrize("key", ["SECRET_KEY", "JWT_SIGNING_KEY", "TICKET_KEYS"])
@pytest.mark.parametrize("value", WEAK.values(), ids=WEAK.keys())
def test_it_does_not_start_with_a_weak_key(tmp_path: Path, key: str, value: str) -> None:
    refused = check(tmp_path, **{key: value})

    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"  {key}: " in refused.stderr
    assert not value or value not in refused.stderr


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("production")
    with serve(folder, **production(folder, **UNLIMITED), **PROXIED, LOG_LEVEL="DEBUG") as live:
        yield live


def test_no_secret_reaches_the_logs(live: Live) -> None:
    who = live.person("ada")
    pair = httpx.post(f"{live.url}/api/token/", json={"username": "ada", "password": PASSWORD}).json()
    httpx.post(f"{live.url}/api/token/refresh/", json={"refresh": pair["refresh"]})
    httpx.post(f"{live.url}/api/token/", json={"username": "ada", "password": "a-wrong-secret"})
    httpx.post(f"{live.url}/api/token/", content=b'{"password": "a-broken-secret')
    httpx.get(f"{live.url}/users/verify-email/", params={"token": "a-mailed-secret"})
    httpx.post(f"{live.url}/users/password-reset/confirm/", json={"token": "a-mailed-secret", "new_password": "x"})
    httpx.get(f"{live.url}/users/me/", headers={"Authorization": "Bearer a-bearer-secret"})

    log = live.log.read_text()
    keys = [live.environment[name] for name in ("SECRET_KEY", "JWT_SIGNING_KEY", "TICKET_KEYS")]
    spoken = [PASSWORD, "-secret", pair["access"], pair["refresh"], who["Authorization"], *keys, "ada@example.org"]
    assert [word for word in spoken if word in log] == []
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert {line["route"] for line in lines if line["event"] == "request"} >= {"api/token/", "users/verify-email/"}


#: Makes every new account a fault of ours. PostgreSQL's message shows the row, which has the address and the hash.
BROKEN = "ALTER TABLE accounts_user ADD CONSTRAINT broken CHECK (false) NOT VALID"


@pytest.mark.parametrize("debug", ["true", "false"])
def test_a_traceback_tells_the_fault_and_no_secret(tmp_path: Path, debug: str) -> None:
    account = {"username": "grace", "email": "grace@secret.example", "password": "a-secret-of-grace"}
    variables = {**production(tmp_path, **UNLIMITED), "DEBUG": debug, "LOG_LEVEL": "DEBUG"}
    with serve(tmp_path, **variables) as live, psycopg.connect(live.environment["DATABASE_URL"]) as connection:
        who = live.person("ada")
        connection.execute(BROKEN)
        connection.commit()
        answer = httpx.post(f"{live.url}/users/register/", json=account, headers={**who, "Cookie": "a=b-secret"})

    log = live.log.read_text()
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "violates check constraint" in log
    assert "Traceback (most recent call last)" in log
    keys = [live.environment[name] for name in ("SECRET_KEY", "JWT_SIGNING_KEY", "TICKET_KEYS")]
    spoken = ["secret", "argon2", PASSWORD, "ada@", who["Authorization"].split()[1], *keys]
    assert [word for word in spoken if word in log + answer.text] == []


def every_path() -> list[str]:
    """One address of each route there is, the admin's too, a static file, and some that lead nowhere."""
    routes = [str(pattern.pattern) for pattern in get_resolver().url_patterns if isinstance(pattern, URLPattern)]
    paths = [f"/{route}".replace("<id:pk>", "1").replace("<slug:code>", "busy") for route in routes]
    admin = [f"/admin/{model._meta.app_label}/{model._meta.model_name}/" for model in site._registry]
    return [
        *paths,
        *admin,
        "/admin/",
        "/admin/login/",
        "/nowhere",
        "/events",
        "/events/x/",
        "/events/?date=x",
        "/events/?x=%00",
        STATIC,
    ]


STATIC = "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui.css"


@pytest.mark.parametrize("path", every_path())
def test_every_answer_carries_the_security_headers(live: Live, path: str) -> None:
    headers = live.client.get(path, headers={"X-Forwarded-Proto": "https"}).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    secret = ("password-reset/c", "verify-email/", "email-change/", "changes/", "not-me/", "stop-mail/")
    is_secret = path.startswith((*(f"/users/{name}" for name in secret), "/registrations/unsubscribe/"))
    assert headers["Referrer-Policy"] == ("no-referrer" if is_secret and "resend" not in path else "same-origin")
    assert headers["Permissions-Policy"].startswith("camera=()")
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "unsafe-eval" not in headers["Content-Security-Policy"]
    assert headers["Cache-Control"]
    assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
    assert not re.search("[0-9]", headers.get("Server", ""))  # a name without a version


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("OPTIONS", 204), ("TRACE", 405), ("PATCH", 405)])
def test_methods_that_nobody_wrote_are_answered_as_they_should(live: Live, method: str, status: int) -> None:
    answer = httpx.request(method, f"{live.url}/events/")

    assert (answer.status_code, sorted(answer.headers["Allow"].split(", "))) == (status, ALLOW)
    assert method in ("TRACE", "PATCH") or answer.content == b""


def test_only_the_origins_of_the_settings_may_read_answers(live: Live) -> None:
    ask = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization,if-match"}
    asked = [
        httpx.options(f"{live.url}/events/1/", headers={"Origin": origin, **ask})
        for origin in (FRIEND, "https://evil.example")
    ]
    read = httpx.get(f"{live.url}/events/", headers={"Origin": FRIEND}).headers

    assert [answer.headers.get("Access-Control-Allow-Origin") for answer in asked] == [FRIEND, None]
    assert "if-match" in asked[0].headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in read
    assert {"etag", "retry-after"} < set(read["Access-Control-Expose-Headers"].split(", "))
