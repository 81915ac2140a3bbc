import gc
import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)

from django.conf import settings  # noqa: E402

from jointoit.api.http.handler import Application  # noqa: E402  needs the settings
from jointoit.api.observability import logs  # noqa: E402
from jointoit.api.postgresql import watchdog  # noqa: E402

if not settings.READABLE_LOGS:
    logs.write_directly(settings.LOG_LEVEL)
watchdog.begin()
application = Application()

# A request leaves little behind that only the collector can free, and looking for it every 700 objects, among all that
# was loaded, took a seventh of its time.
gc.collect()
gc.freeze()
gc.set_threshold(10_000)
