from django.apps import AppConfig
from django.core import checks

from jointoit.api.rates import check_rates


class ApiConfig(AppConfig):
    name = "jointoit.api"
    label = "api"

    def ready(self) -> None:
        checks.register(check_rates)
