"""What the rules about seats refuse: each a code and a sentence, told apart by tests and clients alike."""

from jointoit.errors import Conflict, Forbidden, Unavailable


class AlreadyRegistered(Conflict):
    code = "already_registered"
    message = "You are registered for this event."


class EventFull(Conflict):
    code = "event_full"
    message = "Every seat of this event is taken."


class EventCancelled(Conflict):
    code = "event_cancelled"
    message = "This event is cancelled."


class EventStarted(Conflict):
    code = "event_started"
    message = "This event has begun."


class EventOver(Conflict):
    code = "event_over"
    message = "This event is over."


class RegistrationNotOpen(Conflict):
    code = "registration_not_open"
    message = "Registration for this event has not opened yet."


class RegistrationClosed(Conflict):
    code = "registration_closed"
    message = "Registration for this event is closed."


class TooLateToCancel(Conflict):
    """The organizer has said until when attendees may cancel by themselves; ask the organizer."""

    code = "too_late_to_cancel"
    message = "It is too late to cancel this registration by yourself."


class EmailNotVerified(Forbidden):
    """Open the link in the mail that came with your account; `POST /users/verify-email/resend/` sends it again.

    Then ask once more. Whoever manages the event decided that only people with a confirmed e-mail may come.
    """

    code = "email_not_verified"
    message = (
        "This event is for people who have confirmed their e-mail; open the link in your mail, or ask for it again."
    )


class TooManyEvents(Conflict):
    """Count are drafts, and events that are neither cancelled, deleted nor over; end some of them first."""

    code = "too_many_events"
    message = "Your account has as many open events and drafts as it may have."


class ImpossibleStep(Conflict):
    code = "impossible_step"
    message = "The registration cannot take this step from the status it has."


class NotYours(Forbidden):
    code = "not_yours_to_decide"
    message = "This step belongs to whoever manages the event."


class NotYourEvent(Forbidden):
    code = "permission_denied"
    message = "Only who manages this event may do this."


class Busy(Unavailable):
    code = "busy"
    message = "This event changes too fast just now; try again in a moment."


class EventHidden(Conflict):
    """Staff show it again, once what was reported is settled."""

    code = "event_hidden"
    message = "The service's staff has hidden this event from everybody but its team."
