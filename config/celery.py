"""The Celery application. A task is a doorbell: its work is already a row in PostgreSQL."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("jointoit")
app.config_from_object("config.settings:CELERY")
app.autodiscover_tasks()
