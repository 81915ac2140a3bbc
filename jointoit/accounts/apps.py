from importlib import import_module

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "jointoit.accounts"
    label = "accounts"

    def ready(self) -> None:
        import_module("jointoit.accounts.wiring")
