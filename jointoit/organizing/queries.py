"""Questions and announcements as clients read them, one statement for each list."""

from typing import Final

from jointoit.api.lists.pagination import Key, Listing, ListQuery

QUESTION: Final = (
    "question.id, question.label, question.help, question.type, question.required, question.options, "
    "question.position, question.archived"
)
IN_ORDER: Final = (Key("position", "question.position", "smallint"), Key("id", "question.id", "bigint"))
ALL: Final = ListQuery(QUESTION, "events_question AS question", ("question.event_id = %(event)s",), IN_ORDER)
ASKED: Final = ListQuery(
    QUESTION,
    "events_question AS question",
    ("question.event_id = %(event)s", "NOT question.archived"),
    IN_ORDER,
)
ANNOUNCEMENTS: Final = ListQuery(
    'written.id, written.subject, written.text, written."to", written.recipients, written.created_at',
    "organizing_announcement AS written",
    ("written.event_id = %(event)s",),
    (Key("id", "written.id", "bigint", descending=True),),
)


def questions(*, event: int, archived: bool) -> Listing:
    return Listing(ALL if archived else ASKED, {"event": event})


def announcements(*, event: int) -> Listing:
    return Listing(ANNOUNCEMENTS, {"event": event})
