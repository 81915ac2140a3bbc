from importlib import import_module

from django.apps import AppConfig
from django.conf import settings
from django.core import checks

from jointoit.api import database, metrics
from jointoit.api.rates import check_rates


class ApiConfig(AppConfig):
    name = "jointoit.api"
    label = "api"

    def ready(self) -> None:
        checks.register(check_rates)
        metrics.register(database.connections_by_state)
        if settings.TRACES:
            import_module("jointoit.api.tracing").begin()
