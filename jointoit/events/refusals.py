"""What the rules about seats refuse: each a code and a sentence, told apart by tests and clients alike."""

from jointoit.errors import Conflict, Forbidden, Unavailable


class AlreadyRegistered(Conflict):
    code = "already_registered"
    message = "You are registered for this event."
    remedy = "Read the registration at the address in `registration`; whoever wants another status changes it there."
    shown = {"registration": "{server}/registrations/42/"}


class EventFull(Conflict):
    code = "event_full"
    message = "Every seat of this event is taken."
    remedy = "Look again later: a seat may become free. An event that keeps a waiting list takes you onto it by itself."


class EventCancelled(Conflict):
    code = "event_cancelled"
    message = "This event is cancelled."
    remedy = "Nothing more can be done with it. Find another event at `GET /events/?upcoming=true`."


class EventStarted(Conflict):
    code = "event_started"
    message = "This event has begun."
    remedy = "Find another event at `GET /events/?upcoming=true`, or ask the organizer."


class EventOver(Conflict):
    code = "event_over"
    message = "This event is over."
    remedy = "Nothing more can be done with it. Find another event at `GET /events/?upcoming=true`."


class RegistrationNotOpen(Conflict):
    code = "registration_not_open"
    message = "Registration for this event has not opened yet."
    remedy = "Ask again once `registration_opens_at` of the event has come."


class RegistrationClosed(Conflict):
    code = "registration_closed"
    message = "Registration for this event is closed."
    remedy = "Ask the organizer, who may move `registration_closes_at` of the event."


class TooLateToCancel(Conflict):
    """The organizer has said until when attendees may cancel by themselves; ask the organizer."""

    code = "too_late_to_cancel"
    message = "It is too late to cancel this registration by yourself."
    remedy = "Ask the organizer to cancel it: `cancel_until` of the event has passed."


class EmailNotVerified(Forbidden):
    """Whoever manages the event decided that only people with a confirmed e-mail may come."""

    code = "email_not_verified"
    shown = {"resend": "{server}/users/verify-email/resend/"}
    message = (
        "This event is for people who have confirmed their e-mail; open the link in your mail, or ask for it again."
    )
    remedy = (
        "Open the link in the mail that came with your account; `POST /users/verify-email/resend/` sends it again. "
        "Then ask once more."
    )


class TooManyEvents(Conflict):
    """Count are drafts, and events that are neither cancelled, deleted nor over; end some of them first."""

    code = "too_many_events"
    message = "Your account has as many open events and drafts as it may have."
    remedy = "Cancel or delete events and drafts that are needed no more, or wait until some are over."


class ImpossibleStep(Conflict):
    code = "impossible_step"
    message = "The registration cannot take this step from the status it has."
    remedy = "Read the registration again: it says the status that it has. What is cancelled stays so; register anew."


class NotYours(Forbidden):
    code = "not_yours_to_decide"
    message = "This step belongs to whoever manages the event."
    remedy = "Ask whoever manages the event. Attendees cancel their own registration by PATCH with `cancelled`."


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
    remedy = "Write to whoever runs this service; staff show the event again once what was reported is settled."
