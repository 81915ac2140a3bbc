"""Django's mail backend, held to a time and with fewer waits.

A server that answers slowly, again and again, must not outlast the claim: EMAIL_TIMEOUT bounds each answer, and the
whole greeting (with TLS and log-in); a mail may take half as long again. Where the server offers it, MAIL, RCPT and
DATA go out together (RFC 2920): one wait instead of three.
"""

import re
import smtplib
import time
from typing import Any

from django.core.mail.backends.smtp import EmailBackend

MAIL_TAKES = 1.5  # times EMAIL_TIMEOUT
LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)


class Conversation(smtplib.SMTP):
    def __init__(self, *args: Any, **options: Any) -> None:
        self.ends = time.monotonic() + options["timeout"]
        super().__init__(*args, **options)

    def sendmail(self, from_addr: str, to_addrs: Any, msg: Any, *args: Any, **options: Any) -> Any:
        self.ends = time.monotonic() + MAIL_TAKES * self.timeout
        if not self.has_extn("pipelining"):
            return super().sendmail(from_addr, to_addrs, msg, *args, **options)
        (recipient,) = to_addrs
        self.announce(from_addr, recipient, size=len(msg))
        self.send(LEADING_DOT.sub(b"..", msg) + (b".\r\n" if msg.endswith(b"\r\n") else b"\r\n.\r\n"))
        code, reason = self.hear()
        if code != 250:
            raise smtplib.SMTPDataError(code, reason)
        return {}

    def announce(self, sender: str, recipient: str, *, size: int) -> None:
        """Say MAIL, RCPT and DATA at once; raises what smtplib raises where the server does not take all three."""
        option = f" size={size}" if self.has_extn("size") else ""
        self.send(
            f"mail FROM:{smtplib.quoteaddr(sender)}{option}\r\nrcpt TO:{smtplib.quoteaddr(recipient)}\r\ndata\r\n"
        )
        mail = self.hear()
        rcpt = self.hear() if self.sock else mail
        data = self.hear() if self.sock else rcpt
        refusal: smtplib.SMTPException | None = None
        if mail[0] != 250:
            refusal = smtplib.SMTPSenderRefused(*mail, sender)
        elif rcpt[0] not in (250, 251):
            refusal = smtplib.SMTPRecipientsRefused({recipient: rcpt})
        elif data[0] != 354:
            refusal = smtplib.SMTPDataError(*data)
        if refusal:
            self.give_up(data[0])
            raise refusal

    def give_up(self, code: int) -> None:
        """Begin anew; a text that was asked for, and that nobody shall get, is ended at once (RFC 2920 section 3.1)."""
        if code == 354:
            self.send(b".\r\n")
            self.hear()
        if self.sock:
            self.rset()

    def hear(self) -> tuple[int, bytes]:
        """The next answer; after 421 the server has closed the connection."""
        code, reason = self.getreply()
        if code == 421:
            self.close()
        return code, reason

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
