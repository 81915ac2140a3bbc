"""What the links in mails about events lead to."""

from typing import Any

from rest_framework.parsers import MultiPartParser

from jointoit.accounts.pages import LinkView
from jointoit.accounts.serializers import LinkSerializer
from jointoit.events import documentation, reminders
from jointoit.mail import links


@documentation.unsubscribe
class UnsubscribeView(LinkView):
    """What a reminder's List-Unsubscribe names; mail programs post a form without the token (RFC 8058 section 3.1)."""

    parser_classes = (*LinkView.parser_classes, MultiPartParser)
    serializer_class = LinkSerializer
    template = "events/unsubscribe.html"
    database_free = ("GET",)
    refusals = {"POST": {400: ("invalid_token",)}}
    act = staticmethod(reminders.stop)
    look = staticmethod(links.registration_of)

    def read(self, data: Any) -> dict[str, str]:
        token = self.token_in_address(self.request)
        return super().read({"token": token, **data} if token and isinstance(data, dict) else data)
