"""A mail server that counts every copy it takes, and that dies, drops and refuses as it is told."""

import logging
import random
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.mail.sink import Sink
from tests.servers import free_port

logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd tells of every command
MESSAGE_ID = re.compile(rb"^Message-ID:\s*(\S+)", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True)
class Arrival:
    at: float
    message_id: str
    recipient: str


class PostOffice(Sink):
    """`watch(command)` is called before each answer; `ill`: what it says to MAIL instead of 250 while it is set."""

    def __init__(self, *, seed: int, drop_share: float = 0.0) -> None:
        super().__init__()
        self.chance = random.Random(seed)
        self.drop_share = drop_share
        self.dropped = 0
        self.ill = ""
        self.watch: Callable[[str], None] = lambda command: None
        self.arrivals: list[Arrival] = []
        self.port = free_port()
        self.controller: Controller | None = None

    def open(self) -> None:
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self.controller.start()

    def close(self) -> None:
        """Stop at once, in the middle of whatever is being said."""
        if self.controller:
            self.controller.stop()
        self.controller = None

    @property
    def copies(self) -> Counter[str]:
        """How many copies came, by Message-ID."""
        return Counter(arrival.message_id for arrival in self.arrivals)

    @property
    def doubles(self) -> int:
        return sum(number - 1 for number in self.copies.values())

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.watch("MAIL")
        if self.ill:
            return self.ill
        return await super().handle_MAIL(server, session, envelope, address, options)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.watch("DATA")
        content = envelope.original_content
        found = MESSAGE_ID.search(content) if isinstance(content, bytes) else None
        assert found
        self.arrivals.append(Arrival(time.time(), found[1].decode(), envelope.rcpt_tos[0]))
        self.watch("taken")
        if self.chance.random() < self.drop_share and server.transport:
            self.dropped += 1
            server.transport.close()
        return "250 OK"
