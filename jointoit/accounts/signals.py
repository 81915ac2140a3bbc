"""What accounts tell the apps built on them, which they do not know."""

from django.dispatch import Signal

#: Sent with `user` and `now` inside the transaction that closes an account, while the personal data still stand and the
#: user row is locked (FOR NO KEY UPDATE). A receiver gives back what the person holds; if it raises, nothing is closed.
account_is_closing = Signal()
