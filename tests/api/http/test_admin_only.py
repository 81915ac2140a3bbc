"""The API costs no session; the admin has one, and CSRF protection with it."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from jointoit.api.http.admin_only import AdminCsrf


def answer(request: HttpRequest) -> HttpResponse:
    return HttpResponse("done")


@pytest.mark.django_db
def test_the_api_has_no_session_and_the_admin_has_one(client):
    assert not hasattr(client.get("/events/").wsgi_request, "session")
    assert hasattr(client.get("/admin/login/").wsgi_request, "session")


@pytest.mark.django_db
def test_the_log_in_of_the_admin_asks_for_its_token():
    assert Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "x"}).status_code == 403


def test_a_view_that_nobody_exempted_is_still_guarded():
    request = RequestFactory().post("/form/")

    response = AdminCsrf(answer).process_view(request, answer, (), {})

    assert response is not None
    assert response.status_code == 403
