from importlib import import_module

from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "jointoit.events"
    label = "events"

    def ready(self) -> None:
        import_module("jointoit.events.receivers")
        import_module("jointoit.events.wiring")
