"""What an account that goes away means for its webhooks."""

from typing import Any

from django.dispatch import receiver

from jointoit.accounts.models import User
from jointoit.accounts.signals import access_was_ended, account_is_closing, account_was_taken_over
from jointoit.webhooks.models import Webhook


@receiver(account_is_closing)
@receiver(account_was_taken_over)
def forget(*, user: User, **_: Any) -> None:
    Webhook.objects.filter(owner=user).delete()


@receiver(access_was_ended)
def switch_off(*, user: User, **_: Any) -> None:
    """They may be somebody else's by whom the account was entered; their owner switches them on again."""
    Webhook.objects.filter(owner=user, enabled=True).update(enabled=False, disabled_reason=Webhook.DisabledReason.RESET)
