"""What the OpenAPI document says of tickets and the door, with an example of each body."""

from typing import Any, Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view

from jointoit.accounts.documentation import empty
from jointoit.api.openapi.components import DISPOSITION, asks, gives
from jointoit.api.problems.kinds import SERVER
from jointoit.checkin import serializers as shapes
from jointoit.checkin.parameters import DryRunParameters, RosterPageParameters, SearchParameters

#: A ticket is for its holder's eyes.
NOT_KEPT: Final = {"Cache-Control": "no-store"}
DRAWN = (
    "JT1:AG62ET5VA4VAAALJXDSNYHIORZINCEFHV3BPNMFSY2VATINY3KNYUSJKWMDWYEIFT55CD3WUE3CEIMW7K4CIR5DWON66C6ZXQLQUYUMV45U54"
    "X4OKV7QO"
)
CODE = "0V6S-2K83-PN"
TICKET = {
    "registration": 42,
    "event": 7,
    "code": CODE,
    "token": DRAWN,
    "page": f"{SERVER}/t/WzQyLDFd.c2lnbmF0dXJl/",
    "svg": f"{SERVER}/registrations/42/ticket.svg",
    "png": f"{SERVER}/registrations/42/ticket.png",
}
KEY = {
    "kty": "OKP", "crv": "Ed25519", "x": "0EqyMnQrtKs6E2i9RhXk5tAiSrcaAWuvhSCjMsl3hzc", "kid": "bda24fb5",
    "use": "sig", "alg": "EdDSA",
}  # fmt: skip
SCAN_ID, OTHER_ID = "3f0f9d0e-8b0c-4f0e-9d5e-2a1d6f6f7a10", "7f6b0c52-2a3e-4d53-9a0b-0d1f7c1b9e11"
BY = {"kind": "door", "id": 5}
SCAN = {
    "id": SCAN_ID, "event": 7, "registration": 42, "name": "Grace Hopper", "result": "admitted", "reason": None,
    "gate": "Side entrance", "by": BY, "scanned_at": "2030-05-17T07:02:11Z", "received_at": "2030-05-17T07:02:11.2Z",
    "first": None,
}  # fmt: skip
REFUSED = SCAN | {
    "id": OTHER_ID, "result": "refused", "reason": "already_admitted", "gate": "Main entrance",
    "scanned_at": "2030-05-17T07:02:40Z", "received_at": "2030-05-17T07:20:00Z",
    "first": {"scanned_at": SCAN["scanned_at"], "gate": "Side entrance"},
}  # fmt: skip
ASKED = {"id": SCAN_ID, "token": DRAWN, "gate": "Side entrance", "scanned_at": SCAN["scanned_at"]}
TYPED = {"id": SCAN_ID, "code": CODE}
BATCH = {"device_time": "2030-05-17T07:20:00Z", "scans": [ASKED | {"id": OTHER_ID}]}
ENTRIES = [
    {"id": each["id"], "scanned_at": each["scanned_at"], "gate": each["gate"], "by": BY} for each in (SCAN, REFUSED)
]
MERGED = {
    "server_time": "2030-05-17T07:20:00Z",
    "results": [{"id": OTHER_ID, "scan": REFUSED, "error": None}],
    "conflicts": [{"registration": 42, "name": "Grace Hopper", "scans": ENTRIES}],
}
DOOR = {
    "opens_at": "2030-05-17T04:30:00Z", "closes_at": "2030-05-17T09:30:00Z", "confirmed": 38, "admitted": 21,
    "refused": 2, "conflicts": 1,
    "gates": [{"gate": "Side entrance", "admitted": 21, "refused": 2, "conflicts": 1}],
    "last_scan_at": SCAN["received_at"], "server_time": "2030-05-17T07:21:00Z",
}  # fmt: skip
SEAT = {"registration": 42, "issue": 1, "name": "Grace Hopper", "admitted_at": SCAN["scanned_at"]}
HIT = {"registration": 42, "name": "Grace Hopper", "status": "confirmed", "admitted_at": SCAN["scanned_at"]}
SINCE = "WzcsODI2XQ.1vN2aB.c2lnbmF0dXJl"
SCAN_PARAMETER = OpenApiParameter(
    "scan", OpenApiTypes.UUID, OpenApiParameter.PATH, description="The id that the device gave the scan."
)
SEPARATED = OpenApiResponse(OpenApiTypes.STR, "A table with a header, streamed (RFC 4180).")


def gets(**schema: Any) -> Any:
    return extend_schema_view(get=extend_schema(**schema))


ticket = gets(
    summary="Read the ticket of a registration",
    description=(
        "For its attendee and for who manages the event, as long as the registration is confirmed. What the QR says "
        "is `token`, signed with a key of `/tickets/keys/`; `code` is for typing."
    ),
    responses=shapes.TicketSerializer,
    examples=[gives(TICKET)],
)
ticket_svg = gets(
    summary="Draw the ticket as SVG",
    parameters=[DISPOSITION],
    responses={(200, "image/svg+xml"): OpenApiResponse(OpenApiTypes.STR, "The QR, with a white margin.")},
)
ticket_png = gets(
    summary="Draw the ticket as PNG",
    parameters=[DISPOSITION],
    responses={(200, "image/png"): OpenApiResponse(OpenApiTypes.BINARY, "The QR, with a white margin.")},
)
reissue = extend_schema_view(
    post=extend_schema(
        summary="Replace a ticket",
        description="The earlier one is void at once; a mail brings the new one to the attendee.",
        request=OpenApiTypes.NONE,
        responses={200: shapes.TicketSerializer},
        examples=[gives(TICKET)],
    )
)
ticket_keys = gets(
    summary="Read the keys that tickets are verified with",
    description="A JSON Web Key Set (RFC 7517, RFC 8037), so that a scanner needs no network.",
    responses=shapes.TicketKeysSerializer,
    examples=[gives({"keys": [KEY]})],
)
door = gets(
    summary="Read how the door is doing",
    description="For who lets people in or manages the event; a door pass will do.",
    responses=shapes.DoorSerializer,
    examples=[gives(DOOR)],
)
scans = extend_schema_view(
    get=extend_schema(
        summary="List the scans of an event",
        description=(
            "The newest first. Who manages the event sees all, also as a file with `Accept: text/csv`; who is at the "
            "door sees own scans."
        ),
        parameters=[DISPOSITION],
        responses={
            (200, "application/json"): shapes.LoggedScanSerializer(many=True),
            (200, "text/csv"): SEPARATED,
        },
        examples=[gives(SCAN | {"conflict": False, "undone": None})],
    ),
    post=extend_schema(
        summary="Scan a ticket",
        description=(
            "Says whether to let somebody in. A refusal is an answer too, hence 201: `result` is `admitted` or "
            "`refused`, with a `reason`. The same scan again gives the same answer with 200; with `dry_run=true` "
            "nothing is written."
        ),
        parameters=[DryRunParameters],
        request=shapes.GivenScanSerializer,
        responses={
            201: shapes.ScanSerializer,
            200: OpenApiResponse(shapes.ScanSerializer, "It was taken before, or is not to be written."),
        },
        examples=[
            asks(ASKED), asks(TYPED, "Typed"), gives(SCAN, 201), gives(REFUSED, 201, "Refused"), gives(SCAN),
        ],
    ),
)  # fmt: skip
batch = extend_schema_view(
    post=extend_schema(
        summary="Hand in scans that were made without network",
        description=(
            f"Up to {shapes.MOST_SCANS}, in any order, as often as it takes. A device without network lets in whoever "
            "has a good ticket; where two did so with the same one, both scans stand, and `conflicts` names them. Who "
            "was first is decided by the times of the devices, corrected by `device_time`."
        ),
        request=shapes.GivenBatchSerializer,
        responses={200: shapes.BatchSerializer},
        examples=[asks(BATCH), gives(MERGED)],
    )
)
scan = extend_schema_view(
    delete=extend_schema(
        summary="Take a scan back",
        description=(
            "The row stays, with who and when. Who is at the door takes back own scans within ten minutes, who "
            "manages the event any."
        ),
        parameters=[SCAN_PARAMETER],
        responses={204: empty("It does not count any more.")},
    )
)
roster = gets(
    summary="Read who has a seat",
    description=(
        "For use without network. Keep `since` of the first page: with it the next call gives only what changed. "
        "Where `issue` is null, there is no seat any more."
    ),
    parameters=[RosterPageParameters],
    responses=shapes.RosterSerializer,
    examples=[gives({"next": None, "previous": None, "since": SINCE, "server_time": DOOR["server_time"],
                     "results": [SEAT]})],
)  # fmt: skip
search = gets(
    summary="Find somebody by name",
    description="At most 20, those with a seat first. Addresses are neither looked at nor shown.",
    parameters=[SearchParameters],
    responses=shapes.HitsSerializer,
    examples=[gives({"results": [HIT]})],
)
