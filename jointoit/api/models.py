"""What the toolkit itself keeps: answers given under an Idempotency-Key, and the throttle's buckets of last resort."""

from typing import ClassVar, Self

from django.db import models
from django.db.models.functions import Now


class IdempotencyKey(models.Model):
    """One request of one caller under a key, with the answer it got; written in the transaction of its effect."""

    scope = models.UUIDField(primary_key=True, help_text="Digest of the caller, the method, the path and the key.")
    caller = models.BigIntegerField(db_index=True, help_text="Id of the user who asked.")
    fingerprint = models.CharField(max_length=64, help_text="Digest of the body in canonical form.")
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(null=True)
    body = models.BinaryField(null=True)
    created_at = models.DateTimeField(db_default=Now(), db_index=True)

    objects: ClassVar[models.Manager[Self]] = models.Manager()

    def __str__(self) -> str:
        return str(self.scope)


class RateBucket(models.Model):
    """A bucket of the throttle while Redis is away; the table is unlogged."""

    key = models.UUIDField(primary_key=True, help_text="Digest of the scope and of who is counted.")
    tat = models.BigIntegerField(help_text="When the whole quota is free again, in microseconds since 1970.")
    seen = models.BigIntegerField(help_text="The latest clock of a request so far, likewise.")
    allowed = models.BooleanField(help_text="Whether the last request passed.")

    objects: ClassVar[models.Manager[Self]] = models.Manager()

    def __str__(self) -> str:
        return str(self.key)
