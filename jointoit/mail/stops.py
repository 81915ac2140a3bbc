"""What people want no mail of any more: one event, the service, or, as strangers, anything."""

from collections.abc import Collection, Iterable

from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac

from jointoit.mail.messages import AccountMessage, HeldMails
from jointoit.mail.models import MailStop, OutboxMail
from jointoit.mail.payload import kinds

State = OutboxMail.State
UNWANTED = "The reader wants no such mail."
STOPPED = "Mails about this were stopped."
#: In the place of an address's digest: what nobody gets mail of.
EVERYBODY = ""


def stop(*, address: str, topic: str) -> None:
    """Send no more mail of a topic to an address, not what waits either; asking twice is asking once."""
    MailStop.objects.get_or_create(digest=digest_of(address), topic=topic)
    unsent = OutboxMail.objects.filter(state=State.PENDING, claim=None, recipient__iexact=address)
    drop((mail.pk for mail in unsent.only("kind", "topic") if is_of(mail, {topic})), because=UNWANTED)


def stop_for_all(topic: str) -> None:
    """Send no mail of a topic to anybody, not what waits either, until `resume_for_all`; twice is once."""
    MailStop.objects.get_or_create(digest=EVERYBODY, topic=topic)
    drop(waiting(topic).filter(claim=None).values_list("pk", flat=True), because=STOPPED)


def resume_for_all(topic: str) -> None:
    """Send mails of a topic again, those that are promised from now on."""
    MailStop.objects.filter(digest=EVERYBODY, topic=topic).delete()


def waiting(topic: str) -> QuerySet[OutboxMail]:
    """The mails of a topic that are still to be sent."""
    of_topic = Q(topic=topic) | Q(topic__startswith=f"{topic}:")
    return OutboxMail.objects.filter(of_topic, state=State.PENDING)


def withhold(mails: Collection[OutboxMail]) -> list[OutboxMail]:
    """Settle those of the claimed mails that their readers do not want; return the others."""
    digests = {mail.pk: digest_of(mail.recipient) for mail in mails}
    stops: dict[str, set[str]] = {}
    known = MailStop.objects.filter(digest__in=[EVERYBODY, *digests.values()])
    for digest, topic in known.values_list("digest", "topic"):
        stops.setdefault(digest, set()).add(topic)
    if not stops:
        return list(mails)
    stopped = {mail.pk for mail in mails if is_of(mail, stops.get(EVERYBODY, set()))}
    unwanted = {mail.pk for mail in mails if is_of(mail, stops.get(digests[mail.pk], set()))} - stopped
    drop(stopped, because=STOPPED)
    drop(unwanted, because=UNWANTED)
    return [mail for mail in mails if mail.pk not in stopped | unwanted]


def drop(pks: Iterable[int], *, because: str) -> None:
    if pks := list(pks):
        OutboxMail.objects.filter(pk__in=pks).update(
            state=State.SUPERSEDED, settled_at=Now(), last_answer=because, claim=None, lease_until=None
        )


def is_of(mail: OutboxMail, topics: set[str]) -> bool:
    """Whether one of the topics covers the mail; what goes to an organizer about requests is of the event."""
    event = ":".join(mail.topic.split(":")[:2])
    about_account = issubclass(kinds().get(mail.kind, AccountMessage), AccountMessage | HeldMails)
    return MailStop.ALL in topics or (event in topics if event else False) or (
        MailStop.SERVICE in topics and not about_account
    )  # fmt: skip


def forget(address: str) -> None:
    """For an account that is closed: nobody writes there any more."""
    MailStop.objects.filter(digest=digest_of(address)).delete()


def digest_of(address: str) -> str:
    return salted_hmac("jointoit.mail.stops", address.casefold(), algorithm="sha256").hexdigest()
