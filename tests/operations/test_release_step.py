"""Web and workers started before the release step wait for it, and say so; after it everything is served."""

import json
from collections.abc import Iterator

import httpx
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.operations.installation import NO_TLS, Installation, until

PAGES = ["/admin/login/", "/api/docs/", "/api/redoc/", "/events/"]
PASSWORD = "a/b@c:d $%e'f"
#: All that a role of the service may do with its tables.
ROWS = {"SELECT", "INSERT", "UPDATE", "DELETE"}


@pytest.fixture
def empty(installation: Installation) -> Iterator[dict[str, str]]:
    """The variables of a deployment whose database has no table yet, and of which a role of its own owns nothing."""
    with psycopg.connect(installation.database, autocommit=True) as connection:
        connection.execute("CREATE DATABASE fresh")
    parts = conninfo_to_dict(installation.database) | {"dbname": "fresh"}
    place = f"{parts['host']}".replace("/", "%2F")
    yield {
        "DATABASE_URL": f"postgresql://service@/fresh?host={place}", "DATABASE_PASSWORD": PASSWORD,
        "DATABASE_OWNER_URL": f"postgresql://{parts['user']}@/fresh?host={place}",
    }  # fmt: skip
    for part in [part for part in installation.running if part != "redis"]:
        installation.stop(part)
    with psycopg.connect(installation.database, autocommit=True) as connection:
        connection.execute("DROP DATABASE fresh WITH (FORCE)")
        connection.execute("DROP ROLE IF EXISTS service")


def statuses(installation: Installation, *paths: str) -> list[int]:
    return [httpx.get(installation.api + path, timeout=20, verify=NO_TLS).status_code for path in paths]


def waiting(installation: Installation, part: str) -> list[str]:
    lines = [json.loads(line) for line in installation.said(part).splitlines() if line.startswith("{")]
    return [line["because"] for line in lines if line["event"] == "waiting"]


def test_before_the_release_step_nothing_is_ready_and_after_it_all_pages_are_served(
    installation: Installation, empty: dict[str, str]
) -> None:
    service = {name: value for name, value in empty.items() if name != "DATABASE_OWNER_URL"}
    owner = service | {"DATABASE_URL": empty["DATABASE_OWNER_URL"]}  # the other role is made by the release step
    for part in ("web", "worker"):
        installation.start(part, **owner)
    until(lambda: waiting(installation, "worker"))
    until(lambda: "waiting" in installation.said("web") and live(installation))
    assert statuses(installation, "/health/live/", "/health/ready/", "/events/") == [200, 503, 503]
    said = [line for line in waiting(installation, "worker") if "database is away" not in line]  # it may start slowly
    assert said == ["The release step is to come: python -m jointoit release."]

    for _ in range(2):  # which is safe to repeat
        installation.manage("release", "-v", "0", **empty)

    until(installation.is_ready)
    assert statuses(installation, *PAGES) == [200] * len(PAGES)
    for part in ("web", "worker"):
        installation.stop(part)
    installation.start("web", **service)
    until(installation.is_ready)
    assert statuses(installation, *PAGES) == [200] * len(PAGES)
    installation.stop("web")
    for part in ("web", "worker"):
        assert [line for line in installation.said(part).splitlines() if not line.startswith('{"')] == []
    assert rights(installation) == (ROWS, False, True)


def live(installation: Installation) -> bool:
    try:
        return statuses(installation, "/health/live/") == [200]
    except httpx.HTTPError:
        return False


def rights(installation: Installation) -> tuple[set[str], bool, bool]:
    """What the service's role may do with events, whether it may make tables, and whether its password is hashed."""
    with psycopg.connect(make_conninfo(installation.database, dbname="fresh")) as connection:
        found = connection.execute(
            "SELECT array_agg(privilege_type::text) FROM information_schema.role_table_grants "
            "WHERE grantee = 'service' AND table_name = 'events_event'"
        ).fetchone()
        made = connection.execute(
            "SELECT has_schema_privilege('service', 'public', 'CREATE'), "
            "(SELECT rolpassword LIKE 'SCRAM-SHA-256$%' FROM pg_authid WHERE rolname = 'service')"
        ).fetchone()
    assert found
    assert made
    return set(found[0]), made[0], made[1]
