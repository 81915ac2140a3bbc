"""The pages that people land on, and the same for programs."""

import re
from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.urls import resolve

from jointoit.api.problems.catalogue import known
from jointoit.api.problems.kinds import MEDIA_TYPE
from jointoit.pages import views
from tests.client import BrowserClient

# A request that ends looks after the connections of its thread.
pytestmark = pytest.mark.django_db
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"}
PAGES = ["/", "/problems/", "/problems/busy/", "/api/docs/", "/api/redoc/"]


class Found(HTMLParser):
    """What a page loads, where it leads, and whether it has a script of its own."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.inline: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attributes}
        if tag == "a":
            self.links.append(values["href"])
        elif address := values.get("src") or (values.get("href") if tag == "link" else None):
            self.loads.append(address)
        elif tag == "script" or any(name.startswith("on") for name in values):
            self.inline.append(tag)


def read(client: BrowserClient, path: str) -> Found:
    response = client.get(path, headers=BROWSER)
    assert (response.status_code, response["Content-Type"]) == (200, "text/html; charset=utf-8")
    return Found(response.content.decode())


def test_a_program_gets_links_that_lead_somewhere(client: BrowserClient, settings: Any) -> None:
    settings.PUBLIC_URL, settings.DEBUG = "https://events.example.org", False
    links = client.get("/").json()
    assert set(links) == set(views.LINKS)
    assert {urlsplit(link).netloc for link in links.values()} == {"events.example.org"}
    assert all(resolve(urlsplit(link).path) for link in links.values())


def test_a_person_gets_the_same_links_as_a_page(client: BrowserClient, settings: Any) -> None:
    settings.DEBUG = False
    links = client.get("/").json()
    assert set(read(client, "/").links) == {"/", "#content", "/e/", "/manage/new/", *links.values()}


@pytest.mark.parametrize("debug", [True, False])
def test_only_a_developer_is_led_to_the_inbox(client: BrowserClient, settings: Any, debug: bool) -> None:
    settings.DEBUG, settings.INBOX_URL = debug, "http://127.0.0.1:1080/"
    assert ("http://127.0.0.1:1080/" in read(client, "/").links, "inbox" in client.get("/").json()) == (debug, debug)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_nothing_from_elsewhere_and_has_no_script_of_its_own(client: BrowserClient, path: str) -> None:
    found = read(client, path)
    assert [address for address in found.loads if not re.match(r"/(static|api/docs)/", address)] == []
    assert found.inline == []


@pytest.mark.parametrize("path", PAGES)
def test_everything_a_page_loads_is_there(client: BrowserClient, path: str) -> None:
    loads = read(client, path).loads
    answers = [client.get(address, headers={"Accept": "*/*"}) for address in loads]
    for answer in answers:
        answer.close()
    assert [answer.status_code for answer in answers] == [200] * len(loads)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_may_run_only_what_we_serve(client: BrowserClient, path: str) -> None:
    policy = client.get(path, headers=BROWSER)["Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert (rules["default-src"], rules.get("script-src")) == ("'self'", None)


@pytest.mark.parametrize("path", ["/api/docs/", "/api/redoc/"])
def test_the_documentation_is_html_or_nothing(client: BrowserClient, path: str) -> None:
    assert client.get(path, headers={"Accept": "application/json"}).status_code == 406


def test_every_problem_leads_to_a_page_that_explains_it(client: BrowserClient) -> None:
    found = {code: client.get(urlsplit(kind.uri).path).json()["code"] for code, kind in known().items()}
    assert found == {code: code for code in known()}


def test_every_problem_has_an_example(client: BrowserClient) -> None:
    kinds = client.get("/problems/").json()
    assert {kind["code"]: (kind["example"]["code"], kind["example"]["type"]) for kind in kinds} == {
        kind["code"]: (kind["code"], kind["type"]) for kind in kinds
    }


def test_a_problem_is_explained_to_people(client: BrowserClient) -> None:
    html = unescape(client.get("/problems/precondition_failed/", headers=BROWSER).content.decode())
    assert "<h1>Precondition failed</h1>" in html
    assert "It has changed since you read it." in html
    assert "Read it again and decide anew" in html
    assert '"status": 412' in html


def test_the_list_of_problems_has_them_all(client: BrowserClient) -> None:
    codes = [kind["code"] for kind in client.get("/problems/").json()]
    assert sorted(codes) == sorted(known())
    assert {f"/problems/{code}/" for code in known()} < set(read(client, "/problems/").links)


@pytest.mark.parametrize("code", ["nope", "BUSY", "busy-", "x" * 500])
def test_a_problem_that_does_not_exist_is_not_found(client: BrowserClient, code: str) -> None:
    response = client.get(f"/problems/{code}/", headers=BROWSER)
    assert (response.status_code, response["Content-Type"]) == (404, MEDIA_TYPE)


def test_pages_of_law_stand_where_they_are_set(client: BrowserClient, settings: Any) -> None:
    settings.PRIVACY_URL, settings.TERMS_URL, settings.IMPRINT_URL = (
        f"https://law.example/{name}" for name in ("privacy", "terms", "imprint")
    )

    found = [link for link in read(client, "/signup/").links if "law.example" in link]

    assert sorted(set(found)) == [f"https://law.example/{name}" for name in ("imprint", "privacy", "terms")]
    assert len(found) == 5  # beside the button, and in the footer
