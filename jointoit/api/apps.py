from importlib import import_module

from django.apps import AppConfig
from django.conf import settings
from django.core import checks

from jointoit.api import database
from jointoit.api.checks import check_middleware, check_rates
from jointoit.api.observability import metrics


class ApiConfig(AppConfig):
    name = "jointoit.api"
    label = "api"

    def ready(self) -> None:
        checks.register(check_rates)
        checks.register(check_middleware)
        metrics.register(database.connections_by_state)
        metrics.register(database.clock_skew)
        if settings.TRACES:
            import_module("jointoit.api.observability.tracing").begin()
