"""What the OpenAPI document says of webhooks, with an example of each body."""

from typing import Any, Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view

from jointoit.accounts.documentation import empty
from jointoit.api.openapi.components import asks, gives
from jointoit.events.documentation import FACT
from jointoit.journal.writer import TYPES
from jointoit.webhooks import serializers as shapes

SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="  # noqa: S105  made up
NAME: Final = "msg_2b7f0c9a1e4f43c88d5e2a1d6f6f7a10"
ASKED = {
    "url": "https://crm.example.org/hooks",
    "types": ["registration.confirmed", "registration.cancelled"],
    "events": None,
}
WEBHOOK = ASKED | {
    "id": 3,
    "enabled": True,
    "disabled_reason": None,
    "failing_since": None,
    "last_success_at": "2030-04-20T18:00:01Z",
    "previous_until": None,
    "created_at": "2030-04-01T09:00:00Z",
}
NEW = WEBHOOK | {"last_success_at": None}
DELIVERY = {
    "id": NAME,
    "type": "registration.confirmed",
    "event": 7,
    "fact": 9001,
    "state": "sent",
    "attempts": 1,
    "status": 204,
    "milliseconds": 83,
    "answer": None,
    "created_at": "2030-04-20T18:00:00Z",
    "settled_at": "2030-04-20T18:00:01Z",
    "next_attempt_at": None,
}
TEST = DELIVERY | {"type": "webhook.test", "event": None, "fact": None}
AGAIN = DELIVERY | {"state": "pending", "settled_at": None, "next_attempt_at": "2030-04-21T07:00:00Z"}

webhook_list = extend_schema_view(
    get=extend_schema(
        summary="List your webhooks", responses=shapes.WebhookSerializer(many=True), examples=[gives(WEBHOOK)]
    ),
    post=extend_schema(
        summary="Have facts sent to an address",
        description=(
            "From now on each fact of the `types`, of events that you manage at that moment, is posted there, signed "
            "by Standard Webhooks, at least once. Verify it with the `secret`, which is shown this once, and answer "
            "2xx within 15 seconds. The section `webhooks` of this document says what is sent."
        ),
        request=shapes.NewWebhookSerializer,
        responses={201: shapes.NewWebhookSerializer},
        examples=[asks(ASKED), gives(NEW | {"secret": SECRET}, 201)],
    ),
)
webhook_detail = extend_schema_view(
    get=extend_schema(summary="Read a webhook", responses=shapes.WebhookSerializer, examples=[gives(WEBHOOK)]),
    patch=extend_schema(
        summary="Change a webhook",
        description="`enabled` switches it off, or on again after it was disabled; what waits is then sent.",
        request=shapes.WebhookSerializer(partial=True),
        responses=shapes.WebhookSerializer,
        examples=[asks({"enabled": False}), gives(WEBHOOK | {"enabled": False, "disabled_reason": "owner"})],
    ),
    delete=extend_schema(
        summary="End a webhook",
        request=OpenApiTypes.NONE,
        responses={204: empty("Nothing more is sent, and its log is gone.")},
    ),
)
rotate = extend_schema_view(
    post=extend_schema(
        summary="Give a webhook another secret",
        description="The one before signs as well for a day: each message then has two signatures.",
        request=None,
        responses=shapes.NewWebhookSerializer,
        examples=[gives(WEBHOOK | {"secret": SECRET, "previous_until": "2030-04-22T09:00:00Z"})],
    )
)
test = extend_schema_view(
    post=extend_schema(
        summary="Send a test message now",
        description="Also to a webhook that is disabled. The answer says what came back, after 15 seconds at most.",
        request=None,
        responses=shapes.DeliverySerializer,
        examples=[gives(TEST)],
    )
)
delivery_list = extend_schema_view(
    get=extend_schema(
        summary="Read what was sent to a webhook",
        description="Of the last 30 days, the newest first. What is older is in the feed.",
        responses=shapes.DeliverySerializer(many=True),
        examples=[gives(DELIVERY)],
    )
)
redeliver = extend_schema_view(
    post=extend_schema(
        summary="Send a message again",
        description="With the same `webhook-id`, whatever became of it before.",
        parameters=[OpenApiParameter("message", str, OpenApiParameter.PATH, description="Its id, `msg_…`.")],
        request=None,
        responses={202: shapes.DeliverySerializer},
        examples=[gives(AGAIN, 202)],
    )
)

# ── What is sent ──────────────────────────────────────────────────────────────────────────────────────────────────────

OF_EVENT: dict[str, Any] = {"registration": None, "actor": {"kind": "owner", "id": 1815}}
CHANGES: Final[dict[str, dict[str, Any]]] = {
    "event.created": OF_EVENT | {"before": None, "after": {"title": "Open-source breakfast", "status": "draft"}},
    "event.changed": OF_EVENT | {"before": {"capacity": 20}, "after": {"capacity": 40}},
    "event.published": OF_EVENT | {"before": {"status": "draft"}, "after": {"status": "published"}},
    "event.cancelled": OF_EVENT | {"before": {"status": "published"}, "after": {"status": "cancelled"}},
    "event.deleted": OF_EVENT | {"before": {"status": "published"}, "after": None},
    "event.handed_over": OF_EVENT | {"before": {"organizer": 1815}, "after": {"organizer": 1906}},
    "event.announced": OF_EVENT | {"before": None, "after": {"announcement": 7, "recipients": 40}},
    "event.question_asked": OF_EVENT | {"before": None, "after": {"question": 12}},
    "event.question_changed": OF_EVENT | {"before": None, "after": {"question": 12}},
    "event.question_removed": OF_EVENT | {"before": None, "after": {"question": 12}},
    "registration.pending": {"after": {"status": "pending"}},
    "registration.confirmed": {"after": {"status": "confirmed"}},
    "registration.waitlisted": {"after": {"status": "waitlisted"}},
    "registration.promoted": {
        "actor": {"kind": "system", "id": None},
        "before": {"status": "waitlisted"},
        "after": {"status": "confirmed"},
    },
    "registration.declined": OF_EVENT
    | {"registration": 42, "before": {"status": "pending"}, "after": {"status": "cancelled"}},
    "registration.cancelled": {"before": {"status": "confirmed"}, "after": {"status": "cancelled"}},
    "registration.added": OF_EVENT | {"registration": 42, "before": None, "after": {"status": "confirmed"}},
    "registration.transferred": {"before": {"status": "confirmed"}, "after": {"status": "cancelled"}},
    "registration.received": {"before": None, "after": {"status": "confirmed", "from": 41}},
    "ticket.reissued": {"before": {"issue": 1}, "after": {"issue": 2}},
    "checkin.admitted": {"actor": {"kind": "door", "id": 5}, "after": {"result": "admitted"}},
    "checkin.refused": {"actor": {"kind": "door", "id": 5}, "after": {"result": "refused"}},
    "checkin.undone": {"actor": {"kind": "door", "id": 5}, "before": {"result": "admitted"}, "after": None},
    "team.changed": OF_EVENT | {"before": None, "after": {"role": "door", "member": 1906}},
}


def message(type_: str) -> dict[str, Any]:
    """An example of what is sent; tests send it."""
    return {"type": type_, "timestamp": FACT["at"], "data": FACT | {"type": type_} | CHANGES[type_]}


MESSAGE: Final = {
    "type": "object",
    "description": "What is posted to a webhook.",
    "required": ["type", "timestamp", "data"],
    "properties": {
        "type": {"$ref": "#/components/schemas/FactType"},
        "timestamp": {"type": "string", "format": "date-time", "description": "When it happened."},
        "data": {"$ref": "#/components/schemas/Fact"},
    },
}
HEADERS: Final = {
    "webhook-id": ("The same for every attempt: what you have seen, you need not do again.", NAME),
    "webhook-timestamp": (
        "When it was sent, in seconds since 1970. Refuse what is older than five minutes.",
        "1902938401",
    ),
    "webhook-signature": (
        "`v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`; two of them for a day after a rotation.",
        "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
    ),
}


def webhooks_section(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """A hook of drf-spectacular: the part of OpenAPI 3.1 that says what is sent, one entry for each type of fact."""
    result["components"]["schemas"]["WebhookMessage"] = MESSAGE
    result["webhooks"] = {type_: {"post": sent(type_, means)} for type_, means in TYPES.items()}
    return result


def sent(type_: str, means: str) -> dict[str, Any]:
    parameters = [
        {
            "name": name,
            "in": "header",
            "required": True,
            "description": description,
            "schema": {"type": "string", "examples": [example]},
        }
        for name, (description, example) in HEADERS.items()
    ]
    body = {
        "schema": {"$ref": "#/components/schemas/WebhookMessage"},
        "examples": {"Message": {"value": message(type_)}},
    }
    return {
        "operationId": f"webhook_{type_.replace('.', '_')}",
        "summary": means.rstrip("."),
        "tags": ["programs"],
        "security": [],
        "parameters": parameters,
        "requestBody": {"required": True, "content": {"application/json": body}},
        "responses": {
            "2XX": {"description": "It is done."},
            "default": {
                "description": "It is tried again for three days; `Retry-After` is obeyed, a redirect is not followed. "
                "410 disables the webhook."
            },
        },
    }
