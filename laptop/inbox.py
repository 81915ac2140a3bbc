"""A mail inbox without Node.js: takes every mail by SMTP, keeps it as a file, shows it in a browser.

It speaks the part of MailDev's REST interface that tests and people use: `GET /api/email` (with `?to.address=`,
`?from.address=`, `?subject=`), `/api/email/{id}`, `…/html`, `…/source`, `…/attachment/{name}`, `/api/healthz`,
`DELETE /api/email/{id}` and `/api/email/all`.

A mail is untrusted: its HTML is shown in a sandboxed frame that loads nothing.
"""

import argparse
import json
import os
import re
import signal
import threading
import time
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import getaddresses
from hashlib import sha256
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

IDENTIFIER = r"[0-9a-zA-Z]+"
ONLY_HERE = {"127.0.0.1", "localhost", "[::1]"}  # a page elsewhere cannot read the mails under a name of its own
PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'"
MAIL_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
LARGEST = 50 * 1024 * 1024  # bytes, as MailDev


class Mailbox:
    """The mails in a folder, one file each, the oldest first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def keep(self, source: bytes) -> None:
        name = f"{time.time_ns():x}"
        unfinished = self.folder / f".{name}"
        unfinished.write_bytes(source)
        unfinished.rename(self.folder / f"{name}.eml")

    def paths(self) -> list[Path]:
        return sorted(self.folder.glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)

    def source(self, identifier: str) -> bytes | None:
        path = self.folder / f"{identifier}.eml"
        return path.read_bytes() if path.is_file() else None

    def remove(self, identifier: str) -> None:
        for path in self.paths() if identifier == "all" else [self.folder / f"{identifier}.eml"]:
            path.unlink(missing_ok=True)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.original_content, bytes)
        self.keep(envelope.original_content)
        return "250 UndeletableAdmin"


def parse(source: bytes) -> EmailMessage:
    message = message_from_bytes(source, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def text_of(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return str(part.get_content()).replace("\r\n", "\n") if part else ""


def attachments(message: EmailMessage) -> dict[str, EmailMessage]:
    """The attached parts by the name under which they can be fetched: a digest, as the sender's name is untrusted."""
    found = {}
    for part in message.iter_attachments():
        assert isinstance(part, EmailMessage)
        suffix = re.sub(r"[^.\w]", "", Path(part.get_filename() or "").suffix)
        found[sha256(content_of(part)).hexdigest()[:32] + suffix] = part
    return found


def content_of(part: EmailMessage) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else part.as_bytes()


def people(message: EmailMessage, header: str) -> list[dict[str, str]]:
    return [{"address": address, "name": name} for name, address in getaddresses(map(str, message.get_all(header, [])))]


def described(path: Path) -> dict[str, Any]:
    """A mail as MailDev tells it."""
    source = path.read_bytes()
    message = parse(source)
    arrived = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(path.stat().st_mtime))
    return {
        "id": path.stem, "time": arrived, "read": True, "subject": str(message["subject"] or ""), "size": len(source),
        "from": people(message, "from"), "to": people(message, "to"), "cc": people(message, "cc"),
        "headers": {name.lower(): str(value) for name, value in message.items()},
        "attachments": [
            {"filename": part.get_filename(), "generatedFileName": name, "contentType": part.get_content_type(),
             "contentDisposition": part.get_content_disposition(), "size": len(content_of(part))}
            for name, part in attachments(message).items()
        ],
        "html": text_of(message, "html"), "text": text_of(message, "plain"),
    }  # fmt: skip


def matches(mail: dict[str, Any], wanted: list[tuple[str, str]]) -> bool:
    """Whether a mail has each wanted value; `to.address` looks into every recipient."""
    for name, value in wanted:
        field, _, key = name.partition(".")
        found = mail.get(field, "")
        if value not in ([person.get(key) for person in found] if isinstance(found, list) else [found]):
            return False
    return True


def shown(mail: dict[str, Any]) -> str:
    """One mail as a piece of the page."""
    here = f"/api/email/{mail['id']}"
    recipients = escape(", ".join(person["address"] for person in mail["to"]))
    files = "".join(
        f'<a href="{here}/attachment/{file["generatedFileName"]}">{escape(file["filename"] or "unnamed")}</a> '
        for file in mail["attachments"]
    )
    frame = f'<iframe sandbox title="HTML" loading="lazy" src="{here}/html"></iframe>' if mail["html"] else ""
    return (
        f"<details><summary><b>{escape(mail['subject']) or '(no subject)'}</b><span>to {recipients}</span>"
        f'<time>{mail["time"]}</time></summary><p>{files}<a href="{here}/source">source</a></p>{frame}'
        f"<pre>{escape(mail['text'])}</pre></details>"
    )


PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Inbox ({count})</title>
<meta name="viewport" content="width=device-width"><style>
:root {{ color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }}
body {{ max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
h1 {{ font-size: 1.3rem }} h1 small {{ font-weight: normal; opacity: .7 }}
details {{ border: 1px solid #8886; border-radius: .5rem; margin: .5rem 0 }}
summary {{ cursor: pointer; padding: .6rem 1rem; display: flex; gap: 1rem; flex-wrap: wrap }}
summary span {{ opacity: .75 }} summary time {{ margin-left: auto; opacity: .75 }}
details p, pre {{ margin: 0; padding: .6rem 1rem; white-space: pre-wrap; overflow-wrap: anywhere }}
iframe {{ width: 100%; height: 32rem; border: 0; background: #fff }}
</style><h1>Inbox <small>{count}, the newest first; nothing leaves this machine</small></h1>{mails}</html>"""


class Pages(BaseHTTPRequestHandler):
    """The inbox over HTTP. `mailbox` is set on a subclass, since the server makes a handler for each connection."""

    mailbox: Mailbox
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        routes: dict[str, Callable[..., None]] = {
            "/": self._page,
            "/api/healthz": lambda: self._json(True),
            "/api/email": self._list,
            f"/api/email/({IDENTIFIER})": self._mail,
            f"/api/email/({IDENTIFIER})/(html|source)": self._part,
            f"/api/email/({IDENTIFIER})/attachment/([.\\w]+)": self._attachment,
        }
        self._route(routes)

    def do_DELETE(self) -> None:
        self._route({f"/api/email/({IDENTIFIER})": self._remove})

    def _route(self, routes: dict[str, Callable[..., None]]) -> None:
        path = unquote(urlsplit(self.path).path)
        if re.sub(r":\d+$", "", self.headers.get("Host", "")) not in ONLY_HERE:
            return self._send(HTTPStatus.MISDIRECTED_REQUEST, "text/plain", b"This inbox answers to 127.0.0.1 only.\n")
        for pattern, answer in routes.items():
            if found := re.fullmatch(pattern, path):
                return answer(*found.groups())
        return self._missing()

    def _page(self) -> None:
        mails = [shown(described(path)) for path in reversed(self.mailbox.paths())]
        body = PAGE.format(count=len(mails), mails="".join(mails) or "<p>No mail yet.</p>")
        self._send(HTTPStatus.OK, "text/html; charset=utf-8", body.encode(), PAGE_POLICY)

    def _list(self) -> None:
        wanted = parse_qsl(urlsplit(self.path).query)
        self._json([mail for path in self.mailbox.paths() if matches(mail := described(path), wanted)])

    def _mail(self, identifier: str) -> None:
        if self.mailbox.source(identifier) is None:
            return self._missing()
        return self._json(described(self.mailbox.folder / f"{identifier}.eml"))

    def _part(self, identifier: str, kind: str) -> None:
        source = self.mailbox.source(identifier)
        if source is None:
            return self._missing()
        if kind == "source":
            return self._send(HTTPStatus.OK, "text/plain; charset=utf-8", source)
        html = text_of(parse(source), "html").encode()
        return self._send(HTTPStatus.OK, "text/html; charset=utf-8", html, MAIL_POLICY)

    def _attachment(self, identifier: str, name: str) -> None:
        part = attachments(parse(self.mailbox.source(identifier) or b"")).get(name)
        if part is None:
            return self._missing()
        return self._send(HTTPStatus.OK, "application/octet-stream", content_of(part), MAIL_POLICY, name)

    def _remove(self, identifier: str) -> None:
        self.mailbox.remove(identifier)
        self._json(True)

    def _missing(self) -> None:
        self._send(HTTPStatus.NOT_FOUND, "application/json", b'{"error":"Email was not found"}')

    def _json(self, answer: object) -> None:
        self._send(HTTPStatus.OK, "application/json; charset=utf-8", json.dumps(answer).encode())

    def _send(
        self, status: HTTPStatus, kind: str, body: bytes, content_policy: str = MAIL_POLICY, file: str = ""
    ) -> None:
        self.send_response(status)
        headers = {"Content-Type": kind, "Content-Length": str(len(body)), "X-Content-Type-Options": "nosniff",
                   "Content-Security-Policy": content_policy, "Referrer-Policy": "no-referrer"}  # fmt: skip
        if file:
            headers["Content-Disposition"] = f'attachment; filename="{file}"'
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  so named by http.server
        """Say nothing: who looks at the inbox sees it."""


def serve(
    *, host: str, smtp_port: int, web_port: int, mails: Path, until: threading.Event, ready: threading.Event
) -> None:
    """Receive and show mails until the one event is set; set the other when both ports answer."""
    mailbox = Mailbox(mails)
    web = ThreadingHTTPServer((host, web_port), type("MailboxPages", (Pages,), {"mailbox": mailbox}))
    web.daemon_threads = True
    smtp = Controller(mailbox, hostname=host, port=smtp_port, data_size_limit=LARGEST, enable_SMTPUTF8=True)
    smtp.start()
    pages = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.1})
    pages.start()
    ready.set()
    until.wait()
    smtp.stop()
    web.shutdown()
    web.server_close()
    pages.join()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m laptop.inbox", description="A mail inbox without Node.js.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--smtp-port", type=int, default=1025)
    parser.add_argument("--web-port", type=int, default=1080)
    parser.add_argument("--mails", type=Path, required=True, help="the folder that keeps them")
    options = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    os.umask(0o077)
    serve(**vars(options), until=stop, ready=threading.Event())


if __name__ == "__main__":
    main()
