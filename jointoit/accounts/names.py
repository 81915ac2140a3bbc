"""Which names people may have: they stand in mails to others."""

from jointoit.accounts.models import User
from jointoit.api.linkifier import has_link
from jointoit.errors import Invalid


class LinkInName(Invalid):
    code = "link_in_name"
    message = "A name must not hold anything that mail programs make a link of."
    remedy = "Write the name without dots between letters, without `//` and without `@`."
    shown_field = "last_name"


def refuse_links(user: User, **names: str) -> None:
    """Raise LinkInName for the first of the names that holds a link, unless the user has it already."""
    for field, name in names.items():
        if (user._state.adding or name != getattr(user, field)) and has_link(name):
            raise LinkInName(field=field)
