from importlib import import_module

from django.apps import AppConfig


class OrganizingConfig(AppConfig):
    name = "jointoit.organizing"
    label = "organizing"

    def ready(self) -> None:
        import_module("jointoit.organizing.wiring")
