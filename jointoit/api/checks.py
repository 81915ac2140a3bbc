"""System checks: settings that would fail every request, or quietly do nothing, stop the start instead."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import Error

from jointoit.api.throttling.rates import parse


def check_rates(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[Error]:
    """A system check: a rate that cannot be read stops the start, rather than every request after it."""
    errors = []
    for scope, text in settings.RATES.items():
        try:
            parse(text)
        except ValueError as problem:
            errors.append(Error(str(problem), hint=f"Set RATE_{scope.upper()}.", id="jointoit.E001"))
    return errors


def check_middleware(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[Error]:
    """Whoever adds a middleware to one list says whether it is for the API as well."""
    left = iter(settings.MIDDLEWARE)
    if all(each in left for each in settings.API_MIDDLEWARE):
        return []
    hint = (
        "Requests to the API pass API_MIDDLEWARE, pages MIDDLEWARE: what the API passes, pages pass in the same order."
    )
    return [Error("API_MIDDLEWARE is not a part of MIDDLEWARE.", hint=hint, id="jointoit.E002")]
