"""What the sweeper does for organizers, and what hears of accounts that close."""

from datetime import timedelta

from jointoit.organizing import exporting as exporting  # adds what is exported of a person
from jointoit.organizing import news, retention
from jointoit.organizing import reports as reports  # hears of accounts that close
from jointoit.organizing import transfers as transfers  # likewise
from jointoit.process import periodic

periodic.register(news.tell_due)
periodic.register_stoppable(retention.erase_due, every=timedelta(hours=1))
