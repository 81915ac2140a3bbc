"""Everything that is kept can be looked at."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse

OURS = [model for model in apps.get_models() if model.__module__.startswith("jointoit.")]


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_every_model_has_a_page_in_the_admin(make_user, model: type[Model]):
    client = Client()
    client.force_login(make_user(is_staff=True, is_superuser=True))

    page = client.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"), {"q": "7"})

    assert (model in admin.site._registry, page.status_code) == (True, 200)


def test_the_admin_asks_who_you_are(client: Client):
    assert client.get("/admin/events/event/")["Location"] == "/admin/login/?next=/admin/events/event/"


#: What may be done by hand; all else goes through verbs, which change forms call too, or is for eyes alone.
BY_HAND = {
    "accounts.User": {"add", "change"},
    "events.Event": {"add", "change"},
    "events.Registration": {"change"},  # by actions alone: tests/events/test_admin.py
    "organizing.Report": {"change"},  # by its action alone
    "webhooks.Webhook": {"delete"},
    "mail.MailStop": {"change", "delete"},
    "api.IdempotencyKey": {"delete"},
    "api.RateBucket": {"delete"},
}


def test_nothing_is_edited_around_the_verbs(make_user, rf):
    request = rf.get("/")
    request.user = make_user(is_staff=True, is_superuser=True)

    found = {
        model._meta.label: {
            step for step in ("add", "change", "delete")
            if getattr(admin.site.get_model_admin(model), f"has_{step}_permission")(request)
        }
        for model in OURS
    }  # fmt: skip

    assert {label: steps for label, steps in found.items() if steps} == BY_HAND
