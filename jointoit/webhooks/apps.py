from importlib import import_module

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "jointoit.webhooks"
    label = "webhooks"

    def ready(self) -> None:
        import_module("jointoit.webhooks.receivers")
        import_module("jointoit.webhooks.wiring")
