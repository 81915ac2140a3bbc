"""A real SMTP server that misbehaves as it is told."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.servers import free_port

DROP = "drop the connection"
HANG = "say nothing"


class Sink:
    """`says["RCPT"]` and the like: answers for the next commands, then always 250. `refuses`: recipients and why.

    `hooks["MAIL"]` and the like are called before the answer, which comes `lag` seconds late.
    """

    def __init__(self) -> None:
        self.says: dict[str, deque[str]] = defaultdict(deque)
        self.refuses: dict[str, str] = {}
        self.received: list[EmailMessage] = []
        self.connections = 0
        self.hooks: dict[str, Callable[[], None]] = {}
        self.lag = 0.0
        self.pipelining = True

    @property
    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for mail in self.received]

    @property
    def recipients(self) -> list[str]:
        return [str(mail["To"]) for mail in self.received]

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        await asyncio.to_thread(self.hooks.get("EHLO", nothing))
        session.host_name = hostname
        return ["250-PIPELINING", *responses] if self.pipelining else responses

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = await self.answer("MAIL", server)
        envelope.mail_from = address
        return answer

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.refuses.get(address) or await self.answer("RCPT", server)
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = await self.answer("DATA", server)
        if answer.startswith("250") or answer == DROP:
            content: Any = envelope.original_content
            mail = message_from_bytes(content, policy=policy.default)
            assert isinstance(mail, EmailMessage)
            self.received.append(mail)
        return answer

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        return await self.answer("QUIT", server)

    async def answer(self, command: str, server: SMTP) -> str:
        await asyncio.to_thread(self.hooks.get(command, nothing))
        await asyncio.sleep(self.lag)
        answer = self.says[command].popleft() if self.says[command] else "250 OK"
        if answer == DROP and server.transport:
            server.transport.close()
        if answer == HANG:
            await asyncio.sleep(1.5)
        return answer


def nothing() -> None:
    pass


def serve(sink: Sink) -> Controller:
    controller = Controller(sink, hostname="127.0.0.1", port=free_port())
    controller.start()
    return controller
