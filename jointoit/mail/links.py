"""The links that mails carry: signed, good for one purpose, and those about an account for a time only.

A token is made when its mail is sent, not when it is promised: a mail that had to wait still brings one that works.
It says who (user id), as of when (`token_epoch`: what ends logins ends links too) and which address it was sent to.
"""

from dataclasses import astuple, dataclass
from datetime import timedelta
from typing import Literal
from urllib.parse import urlencode

from django.conf import settings
from django.core.signing import BadSignature, Signer, TimestampSigner
from django.utils.crypto import salted_hmac

from jointoit.errors import Invalid

Kind = Literal["verify_email", "change_email", "agree_email", "stop_change", "reset_password", "log_in", "prove"]

LIFETIME: dict[Kind, timedelta] = {
    "verify_email": timedelta(days=3),
    "change_email": timedelta(days=1),
    "agree_email": timedelta(days=1),
    "stop_change": timedelta(days=7),
    "reset_password": timedelta(hours=1),
    "log_in": timedelta(minutes=15),
    "prove": timedelta(minutes=15),
}
#: What a token may be used for. A link to a new address is shorter lived, but answered in the same place.
PURPOSE: dict[Kind, Kind] = {
    "verify_email": "verify_email",
    "change_email": "verify_email",
    "agree_email": "agree_email",
    "stop_change": "stop_change",
    "reset_password": "reset_password",
    "log_in": "log_in",
    "prove": "prove",
}
#: Where a link leads: the path of FRONTEND_URL, or without one, of PUBLIC_URL. A session is begun here alone.
PATHS: dict[Kind, tuple[str, str]] = {
    "verify_email": ("/verify-email", "/users/verify-email/"),
    "agree_email": ("/agree-email", "/users/email-change/agree/"),
    "stop_change": ("/stop-change", "/users/changes/stop/"),
    "reset_password": ("/reset-password", "/users/password-reset/confirm/"),
    "log_in": ("", "/login/link/open/"),
    "prove": ("/proof", "/me/proof/"),
}


class BadToken(Invalid):
    code = "invalid_token"
    message = "This link is not valid, or not any more. Ask for a new one."
    remedy = "Ask for a new mail where this one came from, and open its newest link."
    shown_field = "token"


@dataclass(frozen=True, kw_only=True)
class Claims:
    """`address`: where it was sent; of `agree_email` a digest of the new one, of `stop_change` what is brought back."""

    user_id: int
    token_epoch: int
    address: str


def mint(kind: Kind, *, user_id: int, token_epoch: int, address: str) -> str:
    """A token of URL-safe characters, good for the time of its kind from now on."""
    return signer(kind).sign_object([user_id, token_epoch, address, int(LIFETIME[kind].total_seconds())])


def read(kind: Kind, token: str) -> Claims:
    """What a token claims. Raises BadToken for one that is forged, too old, or made for another purpose."""
    try:
        user_id, token_epoch, address, seconds = signer(kind).unsign_object(token)
        signer(kind).unsign(token, max_age=seconds)
    except (BadSignature, UnicodeError):
        raise BadToken(field="token") from None
    return Claims(user_id=user_id, token_epoch=token_epoch, address=address)


def address_of(kind: Kind, token: str) -> str:
    """The page where the reader acts on the token. Opening it changes nothing: scanners follow links in mails."""
    front, own = PATHS[PURPOSE[kind]]
    place = settings.FRONTEND_URL + front if settings.FRONTEND_URL and front else settings.PUBLIC_URL + own
    return f"{place}?{urlencode({'token': token})}"


def signer(kind: Kind) -> TimestampSigner:
    return TimestampSigner(sep=".", salt=f"jointoit.mail.links.{PURPOSE[kind]}")


# ── A seat for who has no account ─────────────────────────────────────────────────────────────────────────────────────

VISITOR_LIFETIME = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Who asked for a seat without logging in, as they called themselves; the mail shows whether they read it."""

    event_id: int
    address: str
    first_name: str
    last_name: str
    timezone: str


def mint_visitor(visitor: Visitor) -> str:
    return visitors().sign_object(list(astuple(visitor)))


def visitor_of(token: str) -> Visitor:
    """The visitor of a token of `mint_visitor`. Raises BadToken."""
    try:
        event_id, address, first_name, last_name, timezone = visitors().unsign_object(token, max_age=VISITOR_LIFETIME)
    except (BadSignature, UnicodeError):
        raise BadToken(field="token") from None
    return Visitor(event_id=event_id, address=address, first_name=first_name, last_name=last_name, timezone=timezone)


def visitor_address(token: str) -> str:
    """Always one of ours: it logs in."""
    return f"{settings.PUBLIC_URL}/e/open/?{urlencode({'token': token})}"


def visitors() -> TimestampSigner:
    return TimestampSigner(sep=".", salt="jointoit.mail.links.visitor")


# ── Invitations ───────────────────────────────────────────────────────────────────────────────────────────────────────


def mint_invitation(invitation_id: int) -> str:
    """A token for one invitation, whose row says until when, for whom, and whether it was used."""
    return inviter().sign_object([invitation_id])


def invitation_of(token: str) -> int:
    """The invitation that a token of `mint_invitation` is for. Raises BadToken."""
    try:
        (invitation_id,) = inviter().unsign_object(token)
    except (BadSignature, UnicodeError):
        raise BadToken(field="token") from None
    return int(invitation_id)


def invitation_address(token: str) -> str:
    place = f"{settings.FRONTEND_URL}/invitation" if settings.FRONTEND_URL else f"{settings.PUBLIC_URL}/invitations/"
    return f"{place}?{urlencode({'token': token})}"


def inviter() -> Signer:
    return Signer(sep=".", salt="jointoit.mail.links.invitation")


# ── Seats that are handed on ──────────────────────────────────────────────────────────────────────────────────────────


def mint_transfer(transfer_id: int) -> str:
    """A token for one offer of a seat, whose row says for whom, and whether it was used."""
    return transferrer().sign_object([transfer_id])


def transfer_of(token: str) -> int:
    """The offer that a token of `mint_transfer` is for. Raises BadToken."""
    try:
        (transfer_id,) = transferrer().unsign_object(token)
    except (BadSignature, UnicodeError):
        raise BadToken(field="token") from None
    return int(transfer_id)


def transfer_address(token: str) -> str:
    place = f"{settings.FRONTEND_URL}/transfer" if settings.FRONTEND_URL else f"{settings.PUBLIC_URL}/me/transfers/"
    return f"{place}?{urlencode({'token': token})}"


def transferrer() -> Signer:
    return Signer(sep=".", salt="jointoit.mail.links.transfer")


# ── No more mail ──────────────────────────────────────────────────────────────────────────────────────────────────────


def mint_stop(address: str, topic: str) -> str:
    """A token that ends the mails to an address about a topic. It never dies, as that of a reminder."""
    return stopper().sign_object([address, topic])


def stop_of(token: str) -> tuple[str, str]:
    """Address and topic of a token of `mint_stop`. Raises BadToken."""
    try:
        address, topic = stopper().unsign_object(token)
    except (BadSignature, UnicodeError):
        raise BadToken(field="token") from None
    return address, topic


def is_of_event(token: str) -> bool:
    """Whether a token that may be none ends the mails about one event, and not all."""
    try:
        return stop_of(token)[1].startswith("event:")
    except BadToken:
        return False


def stop_address(token: str) -> str:
    """Always one of ours, as that which ends reminders."""
    return f"{settings.PUBLIC_URL}/users/stop-mail/?{urlencode({'token': token})}"


def stopper() -> Signer:
    return Signer(sep=".", salt="jointoit.mail.links.stop")


def mint_not_me(address: str) -> str:
    """A token with which whoever reads mail at an address says that an account with it is not theirs."""
    return stranger().sign_object([address])


def stranger_of(token: str) -> str:
    """The address of a token of `mint_not_me`. Raises BadToken."""
    try:
        (address,) = stranger().unsign_object(token)
    except (BadSignature, UnicodeError):
        raise BadToken(field="token") from None
    return str(address)


def not_me_address(token: str) -> str:
    return f"{settings.PUBLIC_URL}/users/not-me/?{urlencode({'token': token})}"


def stranger() -> Signer:
    return Signer(sep=".", salt="jointoit.mail.links.not_me")


# ── No more reminders ─────────────────────────────────────────────────────────────────────────────────────────────────


def mint_unsubscribe(registration_id: int) -> str:
    """A token that stops the reminders about one registration. It never dies: a link in an old mail must still work."""
    return unsubscriber().sign_object([registration_id])


def registration_of(token: str) -> int:
    """The registration that a token of `mint_unsubscribe` is about. Raises BadToken."""
    try:
        (registration_id,) = unsubscriber().unsign_object(token)
    except (BadSignature, UnicodeError):
        raise BadToken(field="token") from None
    return int(registration_id)


def unsubscribe_address(token: str) -> str:
    """Always one of ours, whatever FRONTEND_URL says: mail programs post to it (RFC 8058)."""
    return f"{settings.PUBLIC_URL}/registrations/unsubscribe/?{urlencode({'token': token})}"


def unsubscriber() -> Signer:
    return Signer(sep=".", salt="jointoit.mail.links.unsubscribe")


# ── The page of a registration ────────────────────────────────────────────────────────────────────────────────────────


def mint_registration(registration_id: int, address: str) -> str:
    """A token that stands for one person at one event: whoever reads the mail may see the place and give it up.

    It is good as long as the person has the address that it was sent to; the page says for how long after the event.
    """
    return registrar().sign_object([registration_id, digest_of(address)])


def own_registration_of(token: str) -> tuple[int, str]:
    """The registration that a token of `mint_registration` stands for, and `digest_of` its address. Raises BadToken."""
    try:
        registration_id, digest = registrar().unsign_object(token)
    except (BadSignature, UnicodeError):
        raise BadToken(field="token") from None
    return int(registration_id), str(digest)


def registration_address(token: str) -> str:
    """Always one of ours: no call of the API takes such a token."""
    return f"{settings.PUBLIC_URL}/r/{token}/"


def digest_of(address: str) -> str:
    """By which an address is known again, and cannot be read from a link."""
    return salted_hmac("jointoit.mail.links.address", address.casefold(), algorithm="sha256").hexdigest()[:20]


def registrar() -> Signer:
    return Signer(sep=".", salt="jointoit.mail.links.registration")


# ── The organizer's pages ─────────────────────────────────────────────────────────────────────────────────────────────


def people_address(event_id: int) -> str:
    """Where those who ask for a seat are approved, for who manages the event and is logged in."""
    return f"{settings.PUBLIC_URL}/manage/{event_id}/people/"


def edit_address(event_id: int) -> str:
    return f"{settings.PUBLIC_URL}/manage/{event_id}/edit/"


# ── The page of a ticket ──────────────────────────────────────────────────────────────────────────────────────────────


def mint_ticket(registration_id: int, issue: int) -> str:
    """A token that shows one issue of a ticket to whoever has it; no scanner takes it for the ticket."""
    return ticketer().sign_object([registration_id, issue])


def ticket_of(token: str) -> tuple[int, int]:
    """The registration and the issue that a token of `mint_ticket` shows. Raises BadToken."""
    try:
        registration_id, issue = ticketer().unsign_object(token)
    except (BadSignature, UnicodeError):
        raise BadToken(field="token") from None
    return int(registration_id), int(issue)


def ticket_address(token: str) -> str:
    if settings.FRONTEND_URL:
        return f"{settings.FRONTEND_URL}/ticket?{urlencode({'token': token})}"
    return f"{settings.PUBLIC_URL}/t/{token}/"


def ticketer() -> Signer:
    return Signer(sep=".", salt="jointoit.mail.links.ticket")
