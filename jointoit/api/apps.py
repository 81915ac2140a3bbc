from importlib import import_module

from django.apps import AppConfig
from django.conf import settings
from django.core import checks

from jointoit.api import database
from jointoit.api.observability import metrics
from jointoit.api.throttling.rates import check_rates


class ApiConfig(AppConfig):
    name = "jointoit.api"
    label = "api"

    def ready(self) -> None:
        checks.register(check_rates)
        metrics.register(database.connections_by_state)
        if settings.TRACES:
            import_module("jointoit.api.observability.tracing").begin()
