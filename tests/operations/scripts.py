"""What is run within the service to make a beginning: text for `manage.py shell`."""

SEED = """
import json
from datetime import timedelta
from django.utils import timezone
from jointoit.accounts import tokens
from jointoit.accounts.models import User
from jointoit.events.models import Event
number, capacity = map(int, "{number} {capacity}".split())
now = timezone.now()
users = User.objects.bulk_create(
    User(username=f"guest{{n}}", email=f"guest{{n}}@example.org", password="!") for n in range(number))
event = Event.objects.create(title="Launch", location="Kyiv", date=now + timedelta(days=9), organizer=users[0],
                             capacity=capacity, waitlist=True)
print(json.dumps([event.pk, [tokens.issue(user=user, now=now).access for user in users]]))
"""
BOOK = """
from django.utils import timezone
from jointoit.accounts.models import User
from jointoit.events import booking
from jointoit.events.models import Event
event = Event.objects.get()
for user in User.objects.order_by("pk"):
    booking.register(event_id=event.pk, attendee=user, now=timezone.now())
"""
