from django.contrib import admin

from jointoit.api.admin import UndeletableAdmin
from jointoit.events.models import Question
from jointoit.organizing.models import Announcement, EventNews, NewsPosition, Transfer


@admin.register(Question)
class QuestionAdmin(UndeletableAdmin):
    list_display = ("label", "event", "type", "required", "position", "archived")
    list_select_related = ("event",)
    search_fields = ("label", "event__title")


@admin.register(Announcement)
class AnnouncementAdmin(UndeletableAdmin):
    list_display = ("subject", "event", "author", "recipients", "created_at")
    list_select_related = ("event", "author")
    search_fields = ("subject", "event__title")


@admin.register(Transfer)
class TransferAdmin(UndeletableAdmin):
    list_display = ("registration", "email", "created_at", "settled_at")
    search_fields = ("email", "=registration__id")


@admin.register(EventNews)
class EventNewsAdmin(UndeletableAdmin):
    list_display = ("event", "asked", "came", "queued", "cancelled", "since", "told_at")
    list_select_related = ("event",)
    search_fields = ("=event__id",)


@admin.register(NewsPosition)
class NewsPositionAdmin(UndeletableAdmin):
    list_display = ("place",)
