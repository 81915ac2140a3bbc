import gc
import os
from collections.abc import Callable, Iterable
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)

from django.conf import settings  # noqa: E402
from django.core.handlers.wsgi import WSGIHandler  # noqa: E402  needs the settings

from jointoit.api.http.handler import ApiHandler, is_page_path  # noqa: E402
from jointoit.api.observability import logs  # noqa: E402
from jointoit.api.postgresql import watchdog  # noqa: E402

if not settings.READABLE_LOGS:
    logs.write_directly(settings.LOG_LEVEL)
watchdog.begin()
api, pages = ApiHandler(), WSGIHandler()
PROCESS = dict(os.environ)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """As a server calls it. granian adds the environment of the process, which holds secrets and no request needs."""
    for name, value in PROCESS.items():
        if environ.get(name) == value:
            del environ[name]
    handler = pages if is_page_path(environ["PATH_INFO"]) else api
    return handler(environ, start_response)


# A request leaves little behind that only the collector can free, and looking for it every 700 objects, among all that
# was loaded, took a seventh of its time.
gc.collect()
gc.freeze()
gc.set_threshold(10_000)
