"""What the OpenAPI document says of teams, with an example of each body."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view

from jointoit.accounts.documentation import FROM_MAIL, empty
from jointoit.api.openapi.components import asks, gives
from jointoit.api.problems.kinds import SERVER
from jointoit.events import team_serializers as shapes
from jointoit.events.documentation import EVENT_SUMMARY

PERSON = {"id": 1906, "username": "grace", "first_name": "Grace", "last_name": "Hopper"}
MEMBER = {"id": 12, "user": PERSON, "role": "manager", "scope": "event", "since": "2030-01-05T09:30:00Z"}
OWNER = {"id": 1815, "username": "ada"}
ROLE = {"id": 12, "owner": OWNER, "event": EVENT_SUMMARY, "role": "door", "scope": "event", "since": MEMBER["since"]}
INVITATION = {
    "id": 31,
    "email": "grace@example.org",
    "role": "manager",
    "scope": "event",
    "event": EVENT_SUMMARY,
    "expires_at": "2030-01-12T09:30:00Z",
}
OF_ALL = INVITATION | {"scope": "all", "event": None}
ASKED = {"email": "grace@example.org", "role": "manager"}
KEY = "jtd_5_0Aa1Bb2Cc3Dd4Ee5Ff6Gg7Hh8Ii9Jj0KxYz12A"
PASS = {"id": 5, "label": "Side entrance", "created_at": MEMBER["since"], "expires_at": "2030-05-18T08:00:00Z"}
BY_TOKEN = asks({"token": FROM_MAIL}, "ByToken")


def path(name: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, OpenApiTypes.INT64, OpenApiParameter.PATH, description=description)


MEMBER_ID = path("member", "The id of the role.")
INVITATION_ID = path("invitation", "The id of the invitation.")
PASS_ID = path("door_pass", "The id of the pass.")

team_list = extend_schema_view(
    get=extend_schema(
        summary="List the team of an event",
        description="Who helps, those who help with all events of the owner included. For whoever manages the event.",
        responses=shapes.MemberSerializer(many=True),
        examples=[gives(MEMBER)],
    )
)
CHANGE = extend_schema(
    summary="Change a role",
    description="For the owner alone.",
    parameters=[MEMBER_ID],
    request=shapes.RoleChangeSerializer,
    responses=shapes.MemberSerializer,
    examples=[asks({"role": "door"}), gives(MEMBER | {"role": "door"})],
)
END = extend_schema(
    summary="End a role",
    description=(
        "The owner ends any, who manages the event those at the door, and everybody their own. Nothing is done with "
        "the role afterwards."
    ),
    parameters=[MEMBER_ID],
    responses={204: empty("The role is ended.")},
)
team_detail = extend_schema_view(patch=CHANGE, delete=END)
my_team_list = extend_schema_view(
    get=extend_schema(
        summary="List who helps with all of your events",
        description="Also with those that you create later.",
        responses=shapes.MemberSerializer(many=True),
        examples=[gives(MEMBER | {"scope": "all"})],
    )
)
my_team_detail = extend_schema_view(patch=CHANGE, delete=END)
my_role_list = extend_schema_view(
    get=extend_schema(
        summary="List where you help",
        description="`event` is null where you help with all events of the owner.",
        responses=shapes.RoleSerializer(many=True),
        examples=[gives(ROLE)],
    )
)
my_role_detail = extend_schema_view(
    delete=extend_schema(
        summary="Give up a role", parameters=[MEMBER_ID], responses={204: empty("You do not help there any more.")}
    )
)
WITHDRAW = extend_schema(
    summary="Withdraw an invitation",
    parameters=[INVITATION_ID],
    responses={204: empty("The link of the mail does nothing any more.")},
)
invitation_list = extend_schema_view(
    get=extend_schema(
        summary="List the open invitations of an event",
        responses=shapes.InvitationSerializer(many=True),
        examples=[gives(INVITATION)],
    ),
    post=extend_schema(
        summary="Invite somebody to help with an event",
        description=(
            "A mail goes to the address, whose reader accepts or declines within 7 days. The answer is the same "
            "whether or not the address has an account. The owner invites managers, who manages the event helpers at "
            "the door."
        ),
        request=shapes.InviteSerializer,
        responses={201: shapes.InvitationSerializer},
        examples=[asks(ASKED), gives(INVITATION, 201)],
    ),
)
invitation_detail = extend_schema_view(delete=WITHDRAW)
my_invitation_list = extend_schema_view(
    get=extend_schema(
        summary="List your open invitations to help with all of your events",
        responses=shapes.InvitationSerializer(many=True),
        examples=[gives(OF_ALL)],
    ),
    post=extend_schema(
        summary="Invite somebody to help with all of your events",
        description="Also with those that you create later.",
        request=shapes.InviteSerializer,
        responses={201: shapes.InvitationSerializer},
        examples=[asks(ASKED), gives(OF_ALL, 201)],
    ),
)
my_invitation_detail = extend_schema_view(delete=WITHDRAW)
handover = extend_schema_view(
    post=extend_schema(
        summary="Offer an event to another owner",
        description=(
            "A mail goes to the address. When its reader accepts, the event is theirs, and you manage it as a helper. "
            "For the owner alone."
        ),
        request=shapes.HandoverSerializer,
        responses={202: shapes.InvitationSerializer},
        examples=[asks({"email": "grace@example.org"}), gives(INVITATION | {"role": "owner"}, 202)],
    ),
    delete=extend_schema(summary="Withdraw the offer of an event", responses={204: empty("The event stays yours.")}),
)
open_invitation_list = extend_schema_view(
    get=extend_schema(
        summary="List what you are invited to",
        description="Open invitations to the verified address of your account.",
        responses=shapes.InvitationSerializer(many=True),
        examples=[gives(INVITATION)],
    )
)
accept = extend_schema_view(
    post=extend_schema(
        summary="Accept an invitation",
        description="With the account whose verified address the invitation went to.",
        request=shapes.AnswerSerializer,
        responses=shapes.AcceptedSerializer,
        examples=[BY_TOKEN, gives({"event": EVENT_SUMMARY, "role": "manager"})],
    )
)
decline = extend_schema_view(
    post=extend_schema(
        summary="Decline an invitation",
        request=shapes.AnswerSerializer,
        responses={204: empty("The invitation is over.")},
        examples=[BY_TOKEN],
    )
)
door_pass_list = extend_schema_view(
    get=extend_schema(
        summary="List the door passes of an event",
        responses=shapes.DoorPassSerializer(many=True),
        examples=[gives(PASS)],
    ),
    post=extend_schema(
        summary="Make a door pass",
        description=(
            "For helpers without an account: whoever opens the link may scan at the door of this event, and nothing "
            "else. Link and key are shown this once."
        ),
        request=shapes.DoorPassSerializer,
        responses={201: OpenApiResponse(shapes.NewDoorPassSerializer, "The pass, with its link.")},
        examples=[
            asks({"label": "Side entrance"}),
            gives(PASS | {"link": f"{SERVER}/door/enter/{KEY}/", "key": KEY}, 201),
        ],
    ),
)
door_pass_detail = extend_schema_view(
    delete=extend_schema(
        summary="End a door pass", parameters=[PASS_ID], responses={204: empty("Nobody scans with it any more.")}
    )
)
