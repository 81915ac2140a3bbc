"""Django's mail backend, held to a time: a server that answers slowly, again and again, must not outlast the claim.

EMAIL_TIMEOUT bounds each answer, and the whole greeting (with TLS and log-in); a mail may take half as long again.
"""

import smtplib
import time
from typing import Any

from django.core.mail.backends.smtp import EmailBackend

MAIL_TAKES = 1.5  # times EMAIL_TIMEOUT


class Conversation(smtplib.SMTP):
    def __init__(self, *args: Any, **options: Any) -> None:
        self.ends = time.monotonic() + options["timeout"]
        super().__init__(*args, **options)

    def sendmail(self, *args: Any, **options: Any) -> Any:
        self.ends = time.monotonic() + MAIL_TAKES * self.timeout
        return super().sendmail(*args, **options)

    def quit(self) -> Any:
        self.ends = time.monotonic() + self.timeout
        return super().quit()

    def getreply(self) -> Any:
        """Once the time is over, the wait for an answer is too: smtplib then closes the connection."""
        if self.sock:
            self.sock.settimeout(max(0.001, min(self.timeout, self.ends - time.monotonic())))
        return super().getreply()


class Backend(EmailBackend):
    connection_class = Conversation

    def open(self) -> bool | None:
        """The greeting belongs to the connection: smtplib alone would leave it to the first mail."""
        opened = super().open()
        if opened and self.connection:
            self.connection.ehlo_or_helo_if_needed()
        return opened
