"""Every route on one screen."""

from django.contrib import admin
from django.urls import include, path

import jointoit.api.http.converters  # noqa: F401  registers <id:…>
from jointoit.accounts import key_views as keys
from jointoit.accounts import session_views as sessions
from jointoit.accounts import views as accounts
from jointoit.api.observability import health, metrics
from jointoit.api.openapi import views
from jointoit.checkin import views as checkin
from jointoit.events import calendar_views as calendars
from jointoit.events import feed_views as feed
from jointoit.events import pages as pages_of_events
from jointoit.events import team_views as team
from jointoit.events import views as events
from jointoit.organizing import views as organizing
from jointoit.pages import views as pages
from jointoit.pages.negotiation import or_page
from jointoit.webhooks import views as webhooks

urlpatterns = [
    # events, and first what is asked for most: they are tried in this order
    path("events/", or_page(events.EventListView.as_view(), "page-events"), name="event-list"),
    path("events/<id:pk>/", or_page(events.EventDetailView.as_view(), "page-event-short"), name="event-detail"),
    path("events/<id:pk>/publish/", events.PublishView.as_view(), name="event-publish"),
    path("events/<id:pk>/cancel/", events.CancelView.as_view(), name="event-cancel"),
    path("events/<id:pk>/register/", events.RegisterView.as_view(), name="event-register"),
    path("events/<id:pk>/registrations/", organizing.RegistrationsView.as_view(), name="event-registrations"),
    path("events/<id:pk>/registrations/steps/", organizing.StepsView.as_view(), name="event-registration-steps"),
    path("events/<id:pk>/questions/", organizing.QuestionListView.as_view(), name="question-list"),
    path("events/<id:pk>/questions/<id:question>/", organizing.QuestionDetailView.as_view(), name="question-detail"),
    path("events/<id:pk>/announcements/", organizing.AnnouncementListView.as_view(), name="announcement-list"),
    path("events/<id:pk>/duplicate/", organizing.DuplicateView.as_view(), name="event-duplicate"),
    path("events/<id:pk>/statistics/", organizing.StatisticsView.as_view(), name="event-statistics"),
    path("events/<id:pk>/history/", events.EventHistoryView.as_view(), name="event-history"),
    path("events/<id:pk>/team/", team.TeamListView.as_view(), name="event-team-list"),
    path("events/<id:pk>/team/<id:member>/", team.TeamDetailView.as_view(), name="event-team-detail"),
    path("events/<id:pk>/invitations/", team.InvitationListView.as_view(), name="event-invitation-list"),
    path(
        "events/<id:pk>/invitations/<id:invitation>/",
        team.InvitationDetailView.as_view(),
        name="event-invitation-detail",
    ),
    path("events/<id:pk>/handover/", team.HandoverView.as_view(), name="event-handover"),
    path("events/<id:pk>/door-passes/", team.DoorPassListView.as_view(), name="door-pass-list"),
    path("events/<id:pk>/door-passes/<id:door_pass>/", team.DoorPassDetailView.as_view(), name="door-pass-detail"),
    path("events/<id:pk>/calendar.ics", events.CalendarView.as_view(), name="event-calendar"),
    path("organizers/<id:pk>/calendar.ics", calendars.OrganizerCalendarView.as_view(), name="organizer-calendar"),
    path("calendar/<str:secret>.ics", calendars.PersonalCalendarView.as_view(), name="personal-calendar"),
    # the door
    path("events/<id:pk>/checkin/", checkin.CheckinView.as_view(), name="checkin-detail"),
    path("events/<id:pk>/checkin/scans/", checkin.ScanListView.as_view(), name="scan-list"),
    path("events/<id:pk>/checkin/scans/batch/", checkin.ScanBatchView.as_view(), name="scan-batch"),
    path("events/<id:pk>/checkin/scans/<uuid:scan>/", checkin.ScanDetailView.as_view(), name="scan-detail"),
    path("events/<id:pk>/checkin/roster/", checkin.RosterView.as_view(), name="roster-list"),
    path("events/<id:pk>/checkin/search/", checkin.SearchView.as_view(), name="door-search-detail"),
    # tickets
    path("registrations/<id:pk>/ticket/", checkin.TicketDetailView.as_view(), name="ticket-detail"),
    path("registrations/<id:pk>/ticket.svg", checkin.TicketSVGView.as_view(), name="ticket-svg-detail"),
    path("registrations/<id:pk>/ticket.png", checkin.TicketPNGView.as_view(), name="ticket-png-detail"),
    path("registrations/<id:pk>/ticket/reissue/", checkin.ReissueView.as_view(), name="ticket-reissue"),
    path("tickets/keys/", checkin.TicketKeysView.as_view(), name="ticket-keys-detail"),
    path("feed/", feed.FeedView.as_view(), name="feed"),
    # registrations
    path("registrations/", or_page(events.RegistrationListView.as_view(), "page-mine"), name="registration-list"),
    path("users/not-me/", accounts.NotMeView.as_view(), name="not-me"),
    path("users/stop-mail/", accounts.StopMailView.as_view(), name="stop-mail"),
    path("registrations/unsubscribe/", pages_of_events.UnsubscribeView.as_view(), name="unsubscribe"),
    path("registrations/<id:pk>/history/", events.RegistrationHistoryView.as_view(), name="registration-history"),
    path("registrations/<id:pk>/mail/", organizing.MailAgainView.as_view(), name="registration-mail"),
    path("registrations/<id:pk>/transfer/", organizing.TransferView.as_view(), name="registration-transfer"),
    path("transfers/accept/", organizing.TransferAcceptView.as_view(), name="transfer-accept"),
    path("transfers/decline/", organizing.TransferDeclineView.as_view(), name="transfer-decline"),
    path(
        "registrations/<id:pk>/",
        or_page(events.RegistrationDetailView.as_view(), "page-registration"),
        name="registration-detail",
    ),
    # the team
    path("invitations/", or_page(team.OpenInvitationListView.as_view(), "page-invitations"), name="invitation-list"),
    path("invitations/accept/", team.AcceptView.as_view(), name="invitation-accept"),
    path("invitations/decline/", team.DeclineView.as_view(), name="invitation-decline"),
    path("users/me/team/", team.MyTeamListView.as_view(), name="my-team-list"),
    path("users/me/team/<id:member>/", team.MyTeamDetailView.as_view(), name="my-team-detail"),
    path("users/me/invitations/", team.MyInvitationListView.as_view(), name="my-invitation-list"),
    path("users/me/invitations/<id:invitation>/", team.MyInvitationDetailView.as_view(), name="my-invitation-detail"),
    path("users/me/roles/", team.MyRoleListView.as_view(), name="my-role-list"),
    path("users/me/roles/<id:member>/", team.MyRoleDetailView.as_view(), name="my-role-detail"),
    # programs
    path("webhooks/", webhooks.WebhookListView.as_view(), name="webhook-list"),
    path("webhooks/<id:pk>/", webhooks.WebhookDetailView.as_view(), name="webhook-detail"),
    path("webhooks/<id:pk>/rotate/", webhooks.RotateView.as_view(), name="webhook-rotate"),
    path("webhooks/<id:pk>/test/", webhooks.TestView.as_view(), name="webhook-test"),
    path("webhooks/<id:pk>/deliveries/", webhooks.DeliveryListView.as_view(), name="webhook-delivery-list"),
    path(
        "webhooks/<id:pk>/deliveries/<msg:message>/redeliver/",
        webhooks.RedeliverView.as_view(),
        name="webhook-delivery-redeliver",
    ),
    # pages for people
    path("", include("jointoit.pages.urls")),
    # the service
    path("", pages.FrontView.as_view(), name="front"),
    path("problems/", pages.ProblemTypesView.as_view(), name="problem-types"),
    path("problems/<slug:code>/", pages.ProblemTypeView.as_view(), name="problem-type"),
    path("health/live/", health.live, name="health-live"),
    path("health/ready/", health.ready, name="health-ready"),
    path("metrics", metrics.metrics, name="metrics"),
    path("api/schema/", views.SchemaView.as_view(), name="schema"),
    path("api/docs/", views.SwaggerView.as_view(), name="docs"),
    path("api/redoc/", views.RedocView.as_view(), name="redoc"),
    path("admin/", admin.site.urls),
    # accounts
    path("users/register/", accounts.SignUpView.as_view(), name="sign-up"),
    path("users/me/", accounts.MeView.as_view(), name="me"),
    path("users/me/proof/", accounts.ProofView.as_view(), name="proof"),
    path("users/me/calendar/", accounts.CalendarAddressView.as_view(), name="calendar-address"),
    path("users/me/export/", organizing.ExportView.as_view(), name="export"),
    path("users/me/keys/", keys.KeyListView.as_view(), name="key-list"),
    path("users/me/keys/<id:pk>/", keys.KeyDetailView.as_view(), name="key-detail"),
    path("users/me/sessions/", sessions.SessionListView.as_view(), name="session-list"),
    path("users/me/sessions/<uuid:family>/", sessions.SessionDetailView.as_view(), name="session-detail"),
    path("users/me/password/", accounts.PasswordView.as_view(), name="password"),
    path("users/password-reset/", accounts.PasswordResetView.as_view(), name="password-reset"),
    path("users/password-reset/confirm/", accounts.PasswordResetConfirmView.as_view(), name="password-reset-confirm"),
    path("users/verify-email/", accounts.VerifyEmailView.as_view(), name="verify-email"),
    path("users/email-change/agree/", accounts.AgreeToEmailView.as_view(), name="email-change-agree"),
    path("users/changes/stop/", accounts.StopChangeView.as_view(), name="change-stop"),
    path("users/verify-email/resend/", accounts.ResendVerificationView.as_view(), name="verify-email-resend"),
    path("api/token/", accounts.TokenView.as_view(), name="token"),
    path("api/token/refresh/", accounts.TokenRefreshView.as_view(), name="token-refresh"),
    path("api/token/verify/", accounts.TokenVerifyView.as_view(), name="token-verify"),
    path("api/token/blacklist/", accounts.TokenBlacklistView.as_view(), name="token-blacklist"),
]

handler400 = "jointoit.api.problems.handlers.bad_request"
handler403 = "jointoit.api.problems.handlers.permission_denied"
handler404 = "jointoit.pages.base.not_found"
handler500 = "jointoit.api.problems.handlers.server_error"
