"""Nothing is sent twice, and no update is lost."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from jointoit.api.http.conditional import etag_of
from jointoit.events.models import Event
from tests.api.rush import together
from tests.client import ServiceClient

pytestmark = [pytest.mark.urls("tests.api.toolkit"), pytest.mark.django_db]


@pytest.fixture
def url(make_event: Callable[..., Event]) -> str:
    return f"/events/{make_event().pk}/"


def etag(api: ServiceClient, url: str) -> str:
    return str(api.get(url)["ETag"])


# ── If-None-Match ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["detail", "list"])
def test_an_answer_carries_a_strong_tag_of_its_bytes(api: ServiceClient, url: str, path: str) -> None:
    answer = api.get(url if path == "detail" else "/rows/")
    assert answer["ETag"] == etag_of(answer.content)
    assert answer["ETag"][0] == '"'


@pytest.mark.parametrize("path", ["detail", "list"])
@pytest.mark.parametrize("header", ["{}", "W/{}", '"x", {} ,"y"', "*"])
def test_what_the_client_has_is_not_sent_again(api: ServiceClient, url: str, path: str, header: str) -> None:
    target = url if path == "detail" else "/rows/"
    known = etag(api, target)
    again = api.get(target, HTTP_IF_NONE_MATCH=header.format(known))
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", known)
    assert "Content-Type" not in again


@pytest.mark.parametrize("header", ['"x"', "", "x", '"', "{}x", "**"])
def test_what_the_client_does_not_have_is_sent(api: ServiceClient, url: str, header: str) -> None:
    bare = etag(api, url).strip('"')
    assert api.get(url, HTTP_IF_NONE_MATCH=header.format(bare)).status_code == 200


def test_head_has_the_tag_of_get(api: ServiceClient, url: str) -> None:
    assert api.head(url)["ETag"] == etag(api, url)
    assert api.head(url, HTTP_IF_NONE_MATCH=etag(api, url)).status_code == 304


def test_a_change_changes_the_tag(api: ServiceClient, url: str) -> None:
    before = etag(api, url)
    Event.objects.update(title="Other")
    assert api.get(url, HTTP_IF_NONE_MATCH=before).status_code == 200


def test_a_refusal_has_no_tag(api: ServiceClient) -> None:
    assert "ETag" not in api.get("/events/1/")


# ── If-Match ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("header", ["{}", '"x", {}', "*", None])
def test_who_knows_the_present_state_may_change_it(api: ServiceClient, url: str, header: str | None) -> None:
    headers: Any = {} if header is None else {"HTTP_IF_MATCH": header.format(etag(api, url))}
    answer = api.patch(url, {"title": "Other"}, **headers)
    assert (answer.status_code, answer["ETag"], answer["Content-Location"]) == (200, etag(api, url), url)


@pytest.mark.parametrize("header", ['"x"', "W/{}", "x", "", '{}"', "**"])
@pytest.mark.parametrize("method", ["patch", "delete"])
def test_who_knows_another_state_may_not(api: ServiceClient, url: str, method: str, header: str) -> None:
    known = etag(api, url)
    answer = getattr(api, method)(url, {"title": "Other"}, HTTP_IF_MATCH=header.format(known))
    assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed")
    assert etag(api, url) == known


def test_a_thing_that_exists_can_be_ruled_out(api: ServiceClient, url: str) -> None:
    assert api.patch(url, {"title": "Other"}, HTTP_IF_NONE_MATCH="*").status_code == 412
    assert api.patch(url, {"title": "Other"}, HTTP_IF_NONE_MATCH=f"W/{etag(api, url)}").status_code == 412
    assert api.patch(url, {"title": "Other"}, HTTP_IF_NONE_MATCH='"x"').status_code == 200


def test_deleting_what_one_has_read_works(api: ServiceClient, url: str) -> None:
    assert api.delete(url, HTTP_IF_MATCH=etag(api, url)).status_code == 204


@pytest.mark.django_db(transaction=True)
def test_of_fifty_changes_of_one_state_one_is_made(api: ServiceClient, url: str) -> None:
    known = etag(api, url)
    patch = lambda: ServiceClient().patch(url, {"title": "Other"}, HTTP_IF_MATCH=known).status_code  # noqa: E731
    statuses = together(patch, times=50, threads=50)
    assert Counter(statuses) == {200: 1, 412: 49}
    assert Event.objects.get().waiting == 1


@pytest.mark.django_db(transaction=True)
def test_comparing_before_locking_would_lose_updates(api: ServiceClient, url: str) -> None:
    """The control: the same rush against a view that compares too early."""
    url, made = url.replace("events", "racy"), 0
    for _ in range(20):
        known = etag(api, url)
        title = f"Other {made}"
        patch = lambda: ServiceClient().patch(url, {"title": title}, HTTP_IF_MATCH=known).status_code  # noqa: B023, E731
        made = max(made, Counter(together(patch, times=50, threads=25))[200])
    assert made > 1
