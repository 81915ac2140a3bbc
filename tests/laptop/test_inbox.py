"""The inbox without Node.js, by SMTP and over HTTP as people and tests use it."""

import smtplib
import threading
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest

from laptop import inbox
from tests.servers import free_port

Fetch = Callable[..., httpx.Response]


@pytest.fixture
def ports() -> tuple[int, int]:
    return free_port(), free_port()


@pytest.fixture
def folder(tmp_path: Path, ports: tuple[int, int]) -> Iterator[Path]:
    """A running inbox, by the folder that keeps its mails."""
    stop, ready = threading.Event(), threading.Event()
    options = {"host": "127.0.0.1", "smtp_port": ports[0], "web_port": ports[1], "mails": tmp_path}
    server = threading.Thread(target=inbox.serve, kwargs={**options, "until": stop, "ready": ready})
    server.start()
    assert ready.wait(10)
    yield tmp_path
    stop.set()
    server.join(10)


@pytest.fixture
def send(folder: Path, ports: tuple[int, int]) -> Callable[[EmailMessage], None]:
    def deliver(message: EmailMessage) -> None:
        with smtplib.SMTP("127.0.0.1", ports[0]) as client:
            client.send_message(message)

    return deliver


@pytest.fixture
def fetch(folder: Path, ports: tuple[int, int]) -> Fetch:
    """The answer, also of a page that is not there."""

    def get(path: str, method: str = "GET", **headers: str) -> httpx.Response:
        return httpx.request(method, f"http://127.0.0.1:{ports[1]}{path}", headers=headers)

    return get


def mail(to: str = "Zoë <zoe@example.org>", subject: str = "Grüße", html: str = "<p>hello</p>") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Jointoit <events@example.org>", to, subject
    message.set_content("hello\n.a dot\nпривіт\n")
    message.add_alternative(html, subtype="html")
    message.add_attachment(b"BEGIN:VCALENDAR", maintype="text", subtype="calendar", filename="event.ics")
    return message


def test_a_mail_is_told_as_maildev_tells_it(send: Callable[[EmailMessage], None], fetch: Fetch) -> None:
    send(mail())

    (told,) = fetch("/api/email").json()

    shown = {name: told[name] for name in ("subject", "from", "to", "text", "html")}
    assert shown == {
        "subject": "Grüße",
        "from": [{"address": "events@example.org", "name": "Jointoit"}],
        "to": [{"address": "zoe@example.org", "name": "Zoë"}],
        "text": "hello\n.a dot\nпривіт\n",
        "html": "<p>hello</p>\n",
    }
    assert fetch(f"/api/email/{told['id']}").json() == told


def test_mails_are_found_by_recipient_and_subject(send: Callable[[EmailMessage], None], fetch: Fetch) -> None:
    send(mail("a@example.org, b@example.org", "one"))
    send(mail("b@example.org", "two"))

    found = {
        query: [told["subject"] for told in fetch(f"/api/email?{query}").json()]
        for query in ("to.address=a@example.org", "to.address=b@example.org", "subject=two", "to.address=c@d.org")
    }
    assert list(found.values()) == [["one"], ["one", "two"], ["two"], []]


def test_an_attachment_is_a_download(send: Callable[[EmailMessage], None], fetch: Fetch) -> None:
    send(mail())
    (told,) = fetch("/api/email").json()
    (file,) = told["attachments"]

    answer = fetch(f"/api/email/{told['id']}/attachment/{file['generatedFileName']}")

    assert (answer.status_code, file["filename"], answer.headers["Content-Type"], answer.text) == (
        200,
        "event.ics",
        "application/octet-stream",
        "BEGIN:VCALENDAR",
    )


def test_the_html_of_a_mail_can_do_nothing(send: Callable[[EmailMessage], None], fetch: Fetch) -> None:
    send(mail(html="<script>alert(1)</script>"))
    (told,) = fetch("/api/email").json()

    answer = fetch(f"/api/email/{told['id']}/html")

    allowed = answer.headers["Content-Security-Policy"]
    assert (answer.text, allowed) == (
        "<script>alert(1)</script>\n",
        inbox.MAIL_POLICY,
    )


def test_the_page_shows_mails_as_text(send: Callable[[EmailMessage], None], fetch: Fetch) -> None:
    send(mail(subject="<script>x</script>"))

    page = fetch("/")

    allowed = page.headers["Content-Security-Policy"]
    assert (page.text.count("<script"), page.text.count("&lt;script&gt;x"), allowed) == (0, 1, inbox.PAGE_POLICY)


def test_mails_stay_until_they_are_removed(send: Callable[[EmailMessage], None], fetch: Fetch, folder: Path) -> None:
    for _ in range(3):
        send(mail())
    first = fetch("/api/email").json()[0]["id"]

    counts = [len(list(folder.glob("*.eml")))]
    for removed in (first, "all"):
        fetch(f"/api/email/{removed}", method="DELETE")
        counts.append(len(list(folder.glob("*.eml"))))

    assert counts == [3, 2, 0]


@pytest.mark.parametrize("path", ["/api/email/none", "/api/email/none/html", "/api/email/..%2Fx/source", "/elsewhere"])
def test_what_is_not_there_is_404(fetch: Fetch, path: str) -> None:
    assert fetch(path).status_code == 404


def test_a_page_elsewhere_cannot_reach_in_by_another_name(fetch: Fetch) -> None:
    assert [fetch("/api/healthz", Host=host).status_code for host in ("evil.example", "localhost:1080")] == [421, 200]
