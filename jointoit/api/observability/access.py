"""Who may look at the inside of the service: whoever holds METRICS_TOKEN."""

import hmac

from django.conf import settings


def is_operator(authorization: str) -> bool:
    """Whether this value of the header Authorization is the token; while none is set, nobody's is."""
    expected = f"Bearer {settings.METRICS_TOKEN}"
    return bool(settings.METRICS_TOKEN) and hmac.compare_digest(authorization.encode(), expected.encode())
