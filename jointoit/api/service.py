"""Views about the service itself: open to everyone, never throttled, and alive without the database."""

from typing import ClassVar

from rest_framework.permissions import AllowAny
from rest_framework.views import APIView


class ServiceView(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = ()
    standalone: ClassVar[bool] = True
