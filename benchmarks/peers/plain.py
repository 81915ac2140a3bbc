"""The way it is usually written: Django REST framework, `select_for_update`, COUNT, create; one file with its settings.

No outbox, no rate limits, no waiting list: it has less to do for each request. Served by gunicorn's sync workers.
"""

import os
from datetime import timedelta
from typing import Any

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection, models, transaction
from django.db.models.base import ModelBase
from django.urls import path

from config.env import postgres

settings.configure(
    SECRET_KEY=os.environ["SECRET_KEY"],
    ALLOWED_HOSTS=["127.0.0.1"],
    DATABASES={"default": postgres(os.environ["DATABASE_URL"])},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework"],
    MIDDLEWARE=["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTAuthentication"],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    },
    SIMPLE_JWT={
        "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
        "SIGNING_KEY": os.environ["JWT_SIGNING_KEY"],
        "ISSUER": "jointoit",
        "AUDIENCE": "jointoit-api",
    },
)
django.setup()

from rest_framework import exceptions, serializers, viewsets  # noqa: E402  need the settings above
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402


class Event(models.Model):
    title = models.CharField(max_length=255)
    date = models.DateTimeField()
    location = models.CharField(max_length=255)
    status = models.CharField(max_length=16, default="published")
    capacity = models.PositiveIntegerField()

    class Meta:
        app_label = "plain"


class Registration(models.Model):
    event = models.ForeignKey(Event, on_delete=models.CASCADE)
    attendee = models.ForeignKey("auth.User", on_delete=models.CASCADE)
    status = models.CharField(max_length=16, default="confirmed")
    registered_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        app_label = "plain"
        constraints = [models.UniqueConstraint(fields=["event", "attendee"], name="plain_one_per_person")]


class EventSerializer(serializers.ModelSerializer[Event]):
    class Meta:
        model = Event
        fields = ["id", "title", "date", "location", "status"]


class RegistrationSerializer(serializers.ModelSerializer[Registration]):
    event = EventSerializer(read_only=True)
    attendee = serializers.SerializerMethodField()

    class Meta:
        model = Registration
        fields = ["id", "event", "attendee", "status", "registered_at", "updated_at"]

    def get_attendee(self, registration: Registration) -> dict[str, Any]:
        return {"id": registration.attendee_id, "username": registration.attendee.username}


class Refused(exceptions.APIException):
    status_code = 409


class EventViewSet(viewsets.ModelViewSet[Event]):
    queryset = Event.objects.all()

    def register(self, request: Request, pk: int) -> Response:
        with transaction.atomic():
            event = Event.objects.select_for_update().get(pk=pk)
            if Registration.objects.filter(event=event, attendee=request.user).exists():
                raise Refused("You are registered for this event.")
            if Registration.objects.filter(event=event, status="confirmed").count() >= event.capacity:
                raise Refused("Every seat of this event is taken.")
            registration = Registration.objects.create(event=event, attendee=request.user)
        return Response(RegistrationSerializer(registration).data, status=201)


urlpatterns = [path("events/<int:pk>/register/", EventViewSet.as_view({"post": "register"}))]
application = get_wsgi_application()


def create_tables() -> None:
    """Make the two tables; those of `django.contrib.auth` come from its migrations."""
    tables: tuple[ModelBase, ...] = (Event, Registration)
    with connection.schema_editor() as editor:
        for table in tables:
            editor.create_model(table)  # type: ignore[arg-type]


if __name__ == "__main__":
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    create_tables()
