"""What the OpenAPI document says of each operation, with an example of each body."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view

from jointoit.accounts.documentation import FORM, FROM_MAIL, PAGE, PAGE_TOKEN
from jointoit.api.openapi.components import DISPOSITION, LOCATION, asks, gives
from jointoit.api.problems.kinds import REQUEST, SERVER
from jointoit.events import parameters as shapes_of_parameters
from jointoit.events import serializers as shapes

WANTED = {
    "title": "Open-source breakfast",
    "description": "Coffee, laptops, questions.",
    "date": "2030-05-17T07:30:00Z",
    "ends_at": "2030-05-17T09:30:00Z",
    "timezone": "Europe/Berlin",
    "location": "Kulturhaus am Ufer, Berlin",
    "capacity": 40,
    "waitlist": True,
    "tags": ["breakfast", "open source"],
}
EVENT = {
    "id": 7,
    **{name: WANTED[name] for name in ("title", "description", "date", "ends_at", "timezone", "location")},
    "organizer": 1815,
    "capacity": 40,
    "seats_taken": 12,
    "seats_left": 28,
    "waitlist": True,
    "waiting": 0,
    "requires_approval": False,
    "pending": None,
    "verified_only": False,
    "registration_opens_at": None,
    "registration_closes_at": None,
    "checkin_opens_at": None,
    "checkin_closes_at": None,
    "status": "published",
    "tags": WANTED["tags"],
    "contact": None,
    "cancel_until": None,
    "allow_transfers": False,
    "organizer_news": "requests",
    "created_at": "2030-04-01T09:00:00Z",
    "updated_at": "2030-04-02T10:30:00Z",
}
NEW_EVENT = EVENT | {"pending": 0, "seats_taken": 0, "seats_left": 40, "updated_at": EVENT["created_at"]}
EVENT_SUMMARY = {name: EVENT[name] for name in ("id", "title", "date", "location", "status")}
REGISTRATION = {
    "id": 42,
    "event": EVENT_SUMMARY,
    "attendee": {"id": 1852, "username": "grace"},
    "status": "confirmed",
    "position": None,
    "answers": {},
    "registered_at": "2030-04-20T18:00:00Z",
    "updated_at": "2030-04-20T18:00:00Z",
}
WAITING = REGISTRATION | {"status": "waitlisted", "position": 3}
CANCELLED = REGISTRATION | {"status": "cancelled", "updated_at": "2030-04-21T08:00:00Z"}
ATTENDED = REGISTRATION | {
    "attendee": {
        "id": 1852,
        "username": "grace",
        "email": "grace@example.org",
        "first_name": "Grace",
        "last_name": "Hopper",
    },
    "mail": {"kind": "registration_confirmed", "state": "sent", "reason": None},
}
SEPARATED = OpenApiResponse(OpenApiTypes.STR, "A table with a header, streamed (RFC 4180).")
CALENDAR = OpenApiResponse(OpenApiTypes.STR, "A calendar with one entry (RFC 5545); its UID never changes.")


JSON = "application/json"

event_list = extend_schema_view(
    get=extend_schema(
        summary="Find events",
        description=(
            "Published and cancelled events, and your own drafts. All filters combine. Pages hold still while events "
            "come and go; follow `next` and `previous`."
        ),
        responses=shapes.EventSerializer(many=True),
        examples=[gives(EVENT)],
    ),
    post=extend_schema(
        summary="Create an event",
        description=(
            "You become its organizer. It is published at once unless `status` asks for a draft. Members that are not "
            "yours to set, such as `id`, `organizer` and `seats_taken`, are ignored, here and in a change."
        ),
        parameters=[LOCATION],
        request=shapes.NewEventSerializer,
        responses={201: shapes.EventSerializer},
        examples=[asks(WANTED), gives(NEW_EVENT, 201)],
    ),
)
event_detail = extend_schema_view(
    get=extend_schema(summary="Read an event", responses=shapes.EventSerializer, examples=[gives(EVENT)]),
    put=extend_schema(
        summary="Replace an event",
        description=(
            "Title, date and location are required; what else is left out stays as it is. A change of date, end, "
            "place or time zone is told to everybody registered; more capacity brings in those who wait, at once. "
            "`status` takes a step: a draft is published, a published event is cancelled."
        ),
        responses=shapes.EventSerializer,
        examples=[asks(WANTED), gives(EVENT)],
    ),
    patch=extend_schema(
        summary="Change an event",
        description="As PUT, with nothing required.",
        responses=shapes.EventSerializer,
        examples=[asks({"capacity": 40}), gives(EVENT)],
    ),
    delete=extend_schema(
        summary="Delete an event",
        description="Live registrations are cancelled and each attendee is told. The registrations stay readable.",
        responses={204: OpenApiResponse(description="The event is deleted.")},
    ),
)
publish = extend_schema_view(
    post=extend_schema(
        summary="Publish a draft",
        description="A published event stays as it is.",
        request=None,
        responses=shapes.EventSerializer,
        examples=[gives(EVENT)],
    )
)
cancel = extend_schema_view(
    post=extend_schema(
        summary="Cancel an event",
        description=(
            "It stays visible as cancelled; its live registrations end and each attendee is told, with your `reason`."
        ),
        request=shapes.ReasonSerializer,
        responses=shapes.EventSerializer,
        examples=[
            asks({"reason": "The hall has no heating."}),
            gives(EVENT | {"status": "cancelled", "seats_taken": 0, "seats_left": 40}),
        ],
    )
)
calendar = extend_schema_view(
    get=extend_schema(
        summary="Add an event to a calendar",
        parameters=[DISPOSITION],
        responses={(200, "text/calendar"): CALENDAR},
    )
)
FEED = OpenApiResponse(OpenApiTypes.STR, "An iCalendar feed (RFC 5545, 7986), with an ETag.")
personal_calendar = extend_schema_view(
    get=extend_schema(
        operation_id="personal_calendar",
        summary="Subscribe to your registrations",
        description=(
            "The address of `POST /users/me/calendar/`. Confirmed seats; who waits, or awaits approval, as TENTATIVE; "
            "what was cancelled for 30 days. UID and SEQUENCE are those of the mails."
        ),
        parameters=[OpenApiParameter("secret", str, OpenApiParameter.PATH, description="From the address.")],
        responses={(200, "text/calendar"): FEED},
    )
)
organizer_calendar = extend_schema_view(
    get=extend_schema(
        operation_id="organizer_calendar",
        summary="Subscribe to the events of an organizer",
        description="What is published, and for 30 days what was called off.",
        responses={(200, "text/calendar"): FEED},
    )
)
register = extend_schema_view(
    post=extend_schema(
        summary="Register for an event",
        description=(
            "`confirmed` where a seat is free, `pending` where the organizer approves, `waitlisted` with your position "
            "where the event is full and keeps a list. A mail follows. Where the event asks questions, "
            "`answers` has the answer to each, by the id of the question."
        ),
        parameters=[LOCATION],
        request=shapes.NewRegistrationSerializer,
        responses={201: shapes.RegistrationSerializer},
        examples=[
            asks({"answers": {}}),
            gives(REGISTRATION, 201, "Confirmed"),
            gives(WAITING, 201, "Waitlisted"),
        ],
    )
)
registration_list = extend_schema_view(
    get=extend_schema(
        summary="List your registrations",
        description="The newest first.",
        responses=shapes.RegistrationSerializer(many=True),
        examples=[gives(REGISTRATION)],
    )
)
STEP = (
    "The organizer confirms a pending registration and cancels any live one, the attendee cancels their own; to set "
    "the status that it has changes nothing. A freed seat goes to the first on the waiting list in the same moment."
)
registration_detail = extend_schema_view(
    get=extend_schema(
        summary="Read a registration",
        description="For its attendee and for the organizer of the event.",
        responses=shapes.RegistrationSerializer,
        examples=[gives(REGISTRATION)],
    ),
    put=extend_schema(
        summary="Set the status of a registration",
        description=STEP,
        request=shapes.RegistrationStepSerializer,
        responses=shapes.RegistrationSerializer,
        examples=[asks({"status": "cancelled"}), gives(CANCELLED)],
    ),
    patch=extend_schema(
        summary="Change the status of a registration",
        description=STEP,
        request=shapes.RegistrationStepSerializer,
        responses=shapes.RegistrationSerializer,
        examples=[asks({"status": "cancelled"}), gives(CANCELLED)],
    ),
    delete=extend_schema(
        summary="Cancel a registration as the organizer",
        description=(
            "The attendee is told, and the registration stays readable as cancelled. Attendees cancel their own by "
            "PATCH."
        ),
        responses={204: OpenApiResponse(description="The registration is cancelled.")},
    ),
)
attendee_list = extend_schema_view(
    get=extend_schema(
        summary="List who comes",
        description="For the organizer, in the order of asking; as a CSV file with `Accept: text/csv`.",
        parameters=[DISPOSITION],
        responses={
            (200, JSON): shapes.AttendedRegistrationSerializer(many=True),
            (200, "text/csv"): SEPARATED,
        },
        examples=[gives(ATTENDED)],
    )
)
unsubscribe = extend_schema_view(
    get=extend_schema(
        operation_id="unsubscribe_page",
        summary="Show the page that asks whether reminders of an event shall stop",
        description="What the link in a reminder opens. Opening it stops nothing: mail scanners open links too.",
        parameters=[PAGE_TOKEN],
        responses=PAGE,
    ),
    post=extend_schema(
        summary="Stop the reminders of an event",
        description=(
            "Needs no log-in: the token of a reminder says whose registration it is. It stands in the body or in the "
            "address, as when a mail program unsubscribes with one click (RFC 8058). The registration stays."
        ),
        parameters=[PAGE_TOKEN],
        request=shapes.UnsubscribeSerializer,
        responses={204: OpenApiResponse(description="No more reminders."), **FORM},
        examples=[asks({"token": FROM_MAIL})],
    ),
)


FACT = {
    "id": 9001,
    "type": "registration.confirmed",
    "at": "2030-04-20T18:00:00Z",
    "actor": {"kind": "attendee", "id": 1852},
    "event": 7,
    "registration": 42,
    "before": None,
    "after": {"status": "confirmed"},
    "request_id": REQUEST[9:],
}
event_history = extend_schema_view(
    get=extend_schema(
        summary="Read the history of an event",
        description=(
            "Who did what, newest first, for whoever manages the event. `before` and `after` hold what changed; of a "
            "description a digest, never a name or an address. Kept until the event has been over for 400 days."
        ),
        responses=shapes.FactSerializer(many=True),
        examples=[gives(FACT)],
    )
)
registration_history = extend_schema_view(
    get=extend_schema(
        summary="Read the history of a registration",
        description="As that of the event. To the attendee everybody who acted for the event is `organizer`.",
        responses=shapes.FactSerializer(many=True),
        examples=[gives(FACT)],
    )
)
feed = extend_schema_view(
    get=extend_schema(
        operation_id="feed_list",
        summary="Follow what happens",
        description=(
            "Facts in the order in which they became visible, each once: keep `next` and ask it again later. Anybody "
            "reads what happens to published events; who manages an event reads all of its facts, and who acted. "
            "Nothing is lost or doubled while others write. Once facts behind a cursor were forgotten, or the database "
            "is a restored copy, it answers 410, and `restart` says where to begin anew."
        ),
        parameters=[shapes_of_parameters.FeedParameters],
        responses=shapes.FeedSerializer,
        examples=[gives({"next": f"{SERVER}/feed/?cursor=WzgxMiw5MDAxXQ.kQ", "results": [FACT]})],
    )
)
