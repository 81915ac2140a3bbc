"""What the OpenAPI document says of the organizer's tools, with an example of each body."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view

from jointoit.accounts.documentation import FROM_MAIL, NOTHING, PASSWORD, empty
from jointoit.api.openapi.components import DISPOSITION, LOCATION, asks, gives
from jointoit.events import serializers as events
from jointoit.events.documentation import EVENT_SUMMARY, NEW_EVENT, REGISTRATION
from jointoit.events.team_documentation import path
from jointoit.organizing import serializers as shapes

QUESTION_ID = path("question", "The id of the question.")
ASKED = {"label": "What do you eat?", "type": "choice", "options": ["everything", "vegan"], "required": True}
QUESTION = {"id": 12, **ASKED, "help": "", "position": 1, "archived": False}
TEXT = {"subject": "The room has changed", "text": "We meet on the second floor.\nSee you there!", "to": ["confirmed"]}
ANNOUNCEMENT = TEXT | {
    "id": 4, "recipients": 12, "sent": 11, "waiting": 1, "failed": 0, "created_at": "2030-05-01T10:00:00Z",
}  # fmt: skip
OFFER = {"id": 3, "email": "alan@example.org", "created_at": "2030-05-02T08:00:00Z"}
GUEST = {"email": "joan@example.org", "first_name": "Joan", "last_name": "Clarke"}
ADDED = {
    "id": 43, "attendee": GUEST, "status": "confirmed", "position": None, "answers": {},
    "registered_at": "2030-05-03T09:00:00Z",
}  # fmt: skip
OUTCOMES = {
    "results": [
        {"id": 42, "status": "confirmed", "code": None, "detail": None},
        {"id": 44, "status": None, "code": "event_full", "detail": "Every seat of this event is taken."},
    ]
}
FIGURES = {
    "bucket": "day",
    "timezone": "Europe/Berlin",
    "capacity": 40,
    "funnel": {
        "registered": 15, "pending": 0, "confirmed": 12, "waitlisted": 0, "cancelled": 3, "declined": 1,
        "transferred": 0,
    },
    "waiting_list": {"waiting": 0, "promoted": 2, "since": None},
    "over_time": [{"start": "2030-04-19T22:00:00Z", "registered": 15, "cancelled": 3}],
    "door": {
        "admitted": 10,
        "no_shows": 2,
        "arrivals": [
            {"start": "2030-05-17T16:30:00Z", "admitted": 3}, {"start": "2030-05-17T16:45:00Z", "admitted": 7},
        ],
    },
}  # fmt: skip

question_list = extend_schema_view(
    get=extend_schema(
        summary="List the questions of an event",
        description="What whoever registers is asked, in its order. Archived ones are shown to who manages the event.",
        responses=shapes.QuestionSerializer(many=True),
        examples=[gives(QUESTION)],
    ),
    post=extend_schema(
        summary="Ask a question",
        description="At most 30. Who registers from now on is asked; who has registered may answer until the start.",
        request=shapes.QuestionSerializer,
        responses={201: shapes.QuestionSerializer},
        examples=[asks(ASKED), gives(QUESTION, 201)],
    ),
)
question_detail = extend_schema_view(
    patch=extend_schema(
        summary="Change a question",
        description="Once somebody has answered, the type stays as it is, and options are only added.",
        parameters=[QUESTION_ID],
        request=shapes.QuestionSerializer(partial=True),
        responses=shapes.QuestionSerializer,
        examples=[asks({"archived": True}), gives(QUESTION | {"archived": True})],
    ),
    delete=extend_schema(
        summary="Delete a question",
        description="One that has answers is archived instead.",
        parameters=[QUESTION_ID],
        responses={204: empty("The question is gone.")},
    ),
)
announcement_list = extend_schema_view(
    get=extend_schema(
        summary="List the announcements of an event",
        description="The newest first, each with what became of its mails.",
        responses=shapes.AnnouncementSerializer(many=True),
        examples=[gives(ANNOUNCEMENT)],
    ),
    post=extend_schema(
        summary="Write to those who come",
        description=(
            "One mail to each person, at most three announcements of an event in 24 hours. The text is sent as text. "
            "With `dry_run` nothing is sent, and the answer says how many people would get it."
        ),
        parameters=[shapes.DryRunParameters],
        request=shapes.NewAnnouncementSerializer,
        responses={202: shapes.PromisedSerializer},
        examples=[asks(TEXT), gives({"id": 4, "recipients": 12}, 202)],
    ),
)
duplicate = extend_schema_view(
    post=extend_schema(
        summary="Duplicate an event",
        description=(
            "A draft with the same words, questions and team; its other times move along by the clock of its place. "
            "Nobody is registered for it."
        ),
        request=shapes.DuplicateSerializer,
        parameters=[LOCATION],
        responses={201: events.EventSerializer},
        examples=[asks({"date": "2030-06-17T07:30:00Z"}), gives(NEW_EVENT | {"status": "draft"}, 201)],
    )
)
transfer = extend_schema_view(
    post=extend_schema(
        summary="Offer your seat to somebody",
        description=(
            "Where the event has `allow_transfers`, until it starts and nobody was let in with the ticket. They get a "
            "mail, and the seat is yours until they accept."
        ),
        request=shapes.TransferSerializer,
        responses={201: shapes.OfferedSerializer},
        examples=[asks({"email": OFFER["email"]}), gives(OFFER, 201)],
    ),
    delete=extend_schema(summary="Take the offer of your seat back", responses={204: empty("The seat stays yours.")}),
)
accept = extend_schema_view(
    post=extend_schema(
        summary="Accept a seat",
        description="For whoever has the address that the mail went to, and has confirmed it.",
        request=shapes.TransferAnswerSerializer,
        parameters=[LOCATION],
        responses={201: events.RegistrationSerializer},
        examples=[asks({"token": FROM_MAIL}), gives(REGISTRATION, 201)],
    )
)
decline = extend_schema_view(
    post=extend_schema(
        summary="Decline a seat",
        request=shapes.TransferAnswerSerializer,
        responses={204: empty("The seat stays where it was.")},
        examples=[asks({"token": FROM_MAIL})],
    )
)
guest = extend_schema(
    summary="Add a person",
    description=(
        "Registers somebody by their address, also where registration is closed, until the event is over, and never "
        "beyond the capacity. They get a mail that says who did it. Where nobody has the address an account without a "
        "password is made; whoever reads the address may reset it."
    ),
    request=shapes.GuestSerializer,
    parameters=[LOCATION],
    responses={201: shapes.AddedSerializer},
    examples=[asks(GUEST), gives(ADDED, 201)],
)
mail = extend_schema_view(
    post=extend_schema(
        summary="Send the mail of a registration again",
        description=(
            "What holds now: confirmed, pending, or the place on the waiting list. Three times a day for the attendee."
        ),
        request=OpenApiTypes.NONE,
        responses={202: NOTHING},
        examples=[gives({}, 202)],
    )
)
steps = extend_schema_view(
    post=extend_schema(
        summary="Take a step with many registrations",
        description="At most 200. Each has its own outcome: what a rule refuses of one stands in nobody's way.",
        request=shapes.StepsSerializer,
        responses=shapes.OutcomesSerializer,
        examples=[asks({"ids": [42, 44], "status": "confirmed"}), gives(OUTCOMES)],
    )
)
statistics = extend_schema_view(
    get=extend_schema(
        summary="Read the figures of an event",
        description=(
            "Only buckets in which something happened are listed; a day may have 23 or 25 hours. All figures are of "
            "one moment: what `over_time` and `arrivals` list adds up to the totals."
        ),
        parameters=[shapes.StatisticsParameters],
        responses=shapes.StatisticsSerializer,
        examples=[gives(FIGURES)],
    )
)
EXPORTED = {
    "account": {"id": 1852, "username": "grace"},
    "registrations": [{"id": 42, "event__title": EVENT_SUMMARY["title"]}],
}
export = extend_schema_view(
    post=extend_schema(
        summary="Export everything about you",
        description="All that the service knows of you, as one document.",
        parameters=[DISPOSITION],
        request=shapes.ExportSerializer,
        responses=OpenApiTypes.OBJECT,
        examples=[asks({"password": PASSWORD}), gives(EXPORTED)],
    )
)
