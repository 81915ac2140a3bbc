"""What people read where something is out of the ordinary."""

import pytest

from jointoit.accounts import account_closing


@pytest.mark.parametrize("date", ["0000", "9999", "9999-12", "9999-12-31"])
def test_a_year_that_cannot_be_told_is_no_date_that_does_not_exist(api, db, date):
    entry = api.get(f"/events/?date={date}").json()["errors"][0]

    assert (entry["parameter"], entry["code"], entry["detail"]) == (
        "date",
        "out_of_range",
        "The years go from 0001 to 9998.",
    )


def test_a_closed_account_has_no_name_in_a_calendar(api, make_event, make_user):
    organizer = make_user()
    event = make_event(organizer=organizer)
    account_closing.erase(organizer)

    feed = api.get(f"/events/{event.pk}/calendar.ics").content.decode()
    assert 'CN="A closed account"' in feed or "CN=A closed account" in feed
    assert "deleted:" not in feed
