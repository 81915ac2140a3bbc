"""What the links in mails about events lead to."""

from jointoit.accounts.pages import OneClickView
from jointoit.accounts.serializers import MailedTokenSerializer
from jointoit.events import documentation, reminders
from jointoit.mail import links


@documentation.unsubscribe
class UnsubscribeView(OneClickView):
    """What a reminder's List-Unsubscribe names."""

    serializer_class = MailedTokenSerializer
    template = "events/unsubscribe.html"
    database_free = ("GET",)
    refusals = {"POST": {400: ("invalid_token",)}}
    act = staticmethod(reminders.stop)
    look = staticmethod(links.registration_of)
