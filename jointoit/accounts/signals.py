"""What accounts tell the apps built on them, which they do not know."""

from django.dispatch import Signal

#: Sent with `user` and `now` inside the transaction that closes an account, while the personal data still stand and the
#: user row is locked (FOR NO KEY UPDATE). A receiver gives back what the person holds; if it raises, nothing is closed.
account_is_closing = Signal()

#: Sent with `user` inside the transaction that ends all access to an account and its programs: by a reset, by staff, by
#: a command. A receiver ends what whoever was in it may have set up to go on without.
access_was_ended = Signal()

#: Sent with `user` inside the transaction in which whoever reads mail at an account's address gets it from whoever
#: opened it without having shown that. A receiver ends what the latter has given to others.
account_was_taken_over = Signal()

#: Sent with `user` inside the transaction in which another hash was written than by a verb: by the admin's own pages or
#: at the command line.
password_was_written = Signal()

#: Sent with `user` and `family` inside the transaction that ends a log-in whose refresh token came a second time.
refresh_token_was_reused = Signal()
