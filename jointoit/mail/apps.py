from importlib import import_module

from django.apps import AppConfig


class MailConfig(AppConfig):
    name = "jointoit.mail"
    label = "mail"

    def ready(self) -> None:
        import_module("jointoit.mail.wiring")
