from importlib import import_module

from django.apps import AppConfig


class JournalConfig(AppConfig):
    name = "jointoit.journal"
    label = "journal"

    def ready(self) -> None:
        import_module("jointoit.journal.wiring")
