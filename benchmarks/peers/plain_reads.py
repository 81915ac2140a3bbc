"""The list and detail that any developer would write: a ModelViewSet, page numbers with COUNT, icontains.

It reads a copy of the table that has only the indexes which Django makes by itself, opens a connection for each
request, and runs under gunicorn with sync workers: `gunicorn benchmarks.peers.plain_reads:application`.
"""

import os
from typing import Any

import django
from django.conf import settings

from config.env import postgres

settings.configure(
    SECRET_KEY="benchmark",  # noqa: S106  signs nothing
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django_filters", "rest_framework"],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    DATABASES={"default": postgres(os.environ["DATABASE_URL"])},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    USE_TZ=True,
    REST_FRAMEWORK={
        "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
        "PAGE_SIZE": 20,
        "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    },
)
django.setup()

from django.contrib.postgres.fields import ArrayField  # noqa: E402  models need the settings
from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.db import models  # noqa: E402
from django.urls import include, path  # noqa: E402
from django_filters import rest_framework as filters  # noqa: E402
from rest_framework import permissions, routers, serializers, viewsets  # noqa: E402


class Event(models.Model):
    title = models.CharField(max_length=255)
    description = models.TextField()
    date = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    timezone = models.CharField(max_length=64)
    location = models.CharField(max_length=255)
    organizer = models.IntegerField(db_column="organizer_id")
    capacity = models.PositiveIntegerField(null=True)
    seats_taken = models.PositiveIntegerField()
    waitlist = models.BooleanField()
    waiting = models.PositiveIntegerField()
    requires_approval = models.BooleanField()
    registration_opens_at = models.DateTimeField(null=True)
    registration_closes_at = models.DateTimeField(null=True)
    status = models.CharField(max_length=16)
    tags = ArrayField(models.CharField(max_length=50))
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    objects: "models.Manager[Event]" = models.Manager()

    class Meta:
        app_label = "plain"
        db_table = "plain_event"

    def __str__(self) -> str:
        return self.title


class EventSerializer(serializers.ModelSerializer[Event]):
    class Meta:
        model = Event
        fields = "__all__"


class EventFilter(filters.FilterSet):
    title = filters.CharFilter(lookup_expr="icontains")
    location = filters.CharFilter(lookup_expr="icontains")
    search = filters.CharFilter(field_name="description", lookup_expr="icontains")
    tag = filters.CharFilter(field_name="tags", method="tagged")
    date_from = filters.IsoDateTimeFilter(field_name="date", lookup_expr="gte")
    has_seats = filters.BooleanFilter(method="seats")

    class Meta:
        model = Event
        fields = ("organizer", "status")

    def tagged(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.filter(tags__contains=[value])

    def seats(self, queryset: Any, name: str, value: bool) -> Any:
        free = models.Q(capacity=None) | models.Q(seats_taken__lt=models.F("capacity"))
        return queryset.filter(free if value else ~free)


class EventViewSet(viewsets.ModelViewSet[Event]):
    queryset = Event.objects.exclude(status="draft").order_by("date", "id")
    serializer_class = EventSerializer
    filterset_class = EventFilter
    permission_classes = [permissions.IsAuthenticatedOrReadOnly]


router = routers.DefaultRouter()
router.register("events", EventViewSet)
urlpatterns = [path("", include(router.urls))]
application = WSGIHandler()
