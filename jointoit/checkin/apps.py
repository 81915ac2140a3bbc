from importlib import import_module

from django.apps import AppConfig


class CheckinConfig(AppConfig):
    name = "jointoit.checkin"
    label = "checkin"

    def ready(self) -> None:
        import_module("jointoit.checkin.wiring")
