"""What one would write without an outbox: a Celery task for each mail, which calls Django's send. Same mails."""

from celery import shared_task
from django.core.mail import get_connection
from django.utils import timezone

from jointoit.mail import rendering
from jointoit.mail.models import OutboxMail


@shared_task(name="plain.send", ignore_result=True)
def send(mail_id: int) -> None:
    mail = OutboxMail.objects.get(pk=mail_id)
    email = rendering.compose(mail, now=timezone.now())
    email.connection = get_connection("django.core.mail.backends.smtp.EmailBackend")
    email.send()
