"""What operators watch of the mail: attempts by result, what waits and how late it is, whether anything goes out."""

from collections.abc import Iterable
from time import monotonic

from prometheus_client import Counter
from prometheus_client.core import GaugeMetricFamily, Metric

from jointoit.mail.models import OutboxMail, SendControl
from jointoit.mail.status import counts, oldest_due
from jointoit.process import database_clock

attempts = Counter("jointoit_mail_attempts_total", "Mails handed to the mail server, by what it answered.", ["result"])

COUNT_EVERY = 300.0  # seconds; counting every state reads the whole table
State = OutboxMail.State


class Outbox:
    """The outbox at each scrape; only what waits is counted afresh each time."""

    def __init__(self) -> None:
        self.settled: dict[str, int] = {}
        self.count_at = 0.0

    def __call__(self) -> Iterable[Metric]:
        yield self.states()
        yield GaugeMetricFamily(
            "jointoit_outbox_oldest_seconds",
            "How late the mail is that waits longest; 0 where none is late.",
            oldest_due(now=database_clock.now()),
        )
        control = SendControl.objects.filter(pk=1).first() or SendControl()
        yield GaugeMetricFamily(
            "jointoit_mail_held", "1 while an operator, or a restore, holds all mail.", held(control)
        )
        yield GaugeMetricFamily(
            "jointoit_mail_breaker_open", "1 while the mail server does not serve us.", control.down_since is not None
        )

    def states(self) -> GaugeMetricFamily:
        if monotonic() >= self.count_at:
            self.settled, self.count_at = counts(), monotonic() + COUNT_EVERY
        now = self.settled | {str(State.PENDING): OutboxMail.objects.filter(state=State.PENDING).count()}
        family = GaugeMetricFamily(
            "jointoit_outbox_mails", "Mails by state; all but pending up to five minutes old.", labels=["state"]
        )
        for state, number in now.items():
            family.add_metric([state], number)
        return family


def held(control: SendControl) -> bool:
    return control.held_at is not None
