"""The card of an event in the pages of others: for anybody, without a cookie, in whatever frame."""

import pytest
from django.urls import reverse

from tests.pages.test_events import NASTY, in_state  # noqa: F401  a fixture

pytestmark = pytest.mark.django_db
SAYS = {
    "open": "Take a seat",
    "many seats": "40 of 40 seats left",
    "approved": "Ask for a seat",
    "full": "Full",
    "waiting list": "Join the waiting list",
    "cancelled": "This event is cancelled.",
    "not yet": "Registration opens on",
    "closed": "Registration is closed.",
    "begun": "This event has begun.",
    "over": "This event is over.",
}


def card_of(client, event):
    return client.get(reverse("page-embed", args=[event.pk]))


@pytest.mark.parametrize("state", SAYS)
def test_each_state_has_its_words_and_one_query(client, in_state, django_assert_max_num_queries, state):  # noqa: F811
    event = in_state(state)
    with django_assert_max_num_queries(1):
        card = card_of(client, event)

    assert (card.status_code, SAYS[state] in card.text) == (200, True)
    assert card.text.count('target="_blank" rel="noopener"') == card.text.count("<a ") == 2


def test_it_may_stand_in_any_frame_and_nothing_else_may(client, make_event, settings):
    event = make_event()
    card, page = card_of(client, event), client.get(reverse("page-event-short", args=[event.pk]), follow=True)

    assert (card.has_header("X-Frame-Options"), page["X-Frame-Options"]) == (False, "DENY")
    assert card["Content-Security-Policy"].endswith("frame-ancestors *")
    assert page["Content-Security-Policy"].endswith("frame-ancestors 'none'")


def test_it_sets_no_cookie_and_knows_nobody(log_in, make_event):
    event = make_event(status="draft")
    client = log_in(event.organizer)
    draft = card_of(client, event)
    card = card_of(client, make_event(organizer=event.organizer))

    assert (draft.status_code, "This event is not here" in draft.text) == (404, True)
    assert (card.status_code, card.cookies, card["Cache-Control"]) == (200, {}, "public, max-age=60")
    assert card.get("Vary", "") == ""


def test_markup_in_a_title_is_text(client, make_event):
    assert NASTY not in card_of(client, make_event(title=NASTY, location=NASTY)).text
