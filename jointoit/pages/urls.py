"""The pages. PAGE_PATHS in the settings names how their paths begin: those requests pass all middlewares."""

from django.urls import path

import jointoit.api.http.converters  # noqa: F401  registers <id:…>
from jointoit.checkin import views as checkin
from jointoit.pages import (
    account,
    accounts,
    announcements,
    door,
    embed,
    events,
    figures,
    mailed,
    manage,
    people,
    questions,
    registrations,
    team,
    tickets,
    transfers,
)

#: The API's views for the scripts of the door page, which know people by their session; not in the API's document.
AT_DOOR = {"authentication_classes": [door.DoorSession], "schema": None}

urlpatterns = [
    path("e/", events.EventListView.as_view(), name="page-events"),
    path("e/<id:pk>/", events.EventView.as_view(), name="page-event-short"),
    path("e/<id:pk>/register/", events.RegisterView.as_view(), name="page-register"),
    path("e/<id:pk>/register/mail/", mailed.RegisterByMailView.as_view(), name="page-register-mail"),
    path("e/open/", mailed.OpenedRegistrationView.as_view(), name="page-register-open"),
    path("e/confirm/", mailed.RegisterByLinkView.as_view(), name="page-register-confirm"),
    path("embed/<id:pk>/", embed.EmbedView.as_view(), name="page-embed"),
    path("e/<id:pk>/report/", events.ReportView.as_view(), name="page-report"),
    path("e/<id:pk>/<str:slug>/", events.EventView.as_view(), name="page-event"),
    path("sitemap.xml", events.SitemapView.as_view(), name="page-sitemap"),
    path("robots.txt", events.RobotsView.as_view(), name="page-robots"),
    # accounts
    path("login/", accounts.LoginView.as_view(), name="page-login"),
    path("login/link/", mailed.AskForLinkView.as_view(), name="page-login-link"),
    path("login/link/open/", mailed.OpenedLoginView.as_view(), name="page-login-open"),
    path("login/confirm/", mailed.LoginByLinkView.as_view(), name="page-login-confirm"),
    path("signup/", accounts.SignUpView.as_view(), name="page-signup"),
    path("logout/", accounts.LogoutView.as_view(), name="page-logout"),
    path("password-reset/", accounts.AskForResetView.as_view(), name="page-password-reset"),
    # one's own
    path("me/", registrations.MineView.as_view(), name="page-mine"),
    path("me/account/", account.AccountView.as_view(), name="page-account"),
    path("me/account/close/", account.CloseAccountView.as_view(), name="page-close-account"),
    path("me/calendar/", registrations.CalendarAddressView.as_view(), name="page-calendar"),
    path("me/proof/", mailed.OpenedProofView.as_view(), name="page-proof"),
    path("me/invitations/", team.InvitationsView.as_view(), name="page-invitations"),
    path("me/transfers/", transfers.TransferView.as_view(), name="page-transfer"),
    path("me/registrations/<id:pk>/", registrations.RegistrationView.as_view(), name="page-registration"),
    path(
        "me/registrations/<id:pk>/cancel/",
        registrations.CancelRegistrationView.as_view(),
        name="page-registration-cancel",
    ),
    # by the link of a mail
    path("r/<str:token>/", registrations.LinkedRegistrationView.as_view(), name="page-linked-registration"),
    path("r/<str:token>/cancel/", registrations.LinkedCancelView.as_view(), name="page-linked-cancel"),
    path("t/<str:token>/", tickets.TicketView.as_view(), name="page-ticket"),
    path("t/<str:token>/ticket.png", tickets.TicketPictureView.as_view(), name="page-ticket-picture"),
    # for who manages events
    path("manage/", manage.EventListView.as_view(), name="page-manage"),
    path("manage/new/", manage.NewEventView.as_view(), name="page-manage-new"),
    path("manage/<id:pk>/", manage.OverviewView.as_view(), name="page-manage-event"),
    path("manage/<id:pk>/edit/", manage.EditView.as_view(), name="page-manage-edit"),
    path("manage/<id:pk>/publish/", manage.PublishView.as_view(), name="page-manage-publish"),
    path("manage/<id:pk>/cancel/", manage.CancelView.as_view(), name="page-manage-cancel"),
    path("manage/<id:pk>/delete/", manage.DeleteView.as_view(), name="page-manage-delete"),
    path("manage/<id:pk>/people/", people.PeopleView.as_view(), name="page-manage-people"),
    path("manage/<id:pk>/people/csv/", people.PeopleFileView.as_view(), name="page-manage-people-csv"),
    path("manage/<id:pk>/people/step/", people.StepView.as_view(), name="page-manage-step"),
    path("manage/<id:pk>/people/add/", people.GuestView.as_view(), name="page-manage-guest"),
    path("manage/<id:pk>/people/<id:registration>/", people.PersonView.as_view(), name="page-manage-person"),
    path("manage/<id:pk>/questions/", questions.QuestionsView.as_view(), name="page-manage-questions"),
    path("manage/<id:pk>/questions/<id:question>/", questions.QuestionView.as_view(), name="page-manage-question"),
    path("manage/<id:pk>/announcements/", announcements.AnnouncementsView.as_view(), name="page-manage-announcements"),
    path("manage/<id:pk>/duplicate/", manage.DuplicateView.as_view(), name="page-manage-duplicate"),
    path("manage/<id:pk>/history/", manage.HistoryView.as_view(), name="page-manage-history"),
    path("manage/<id:pk>/figures/", figures.FiguresView.as_view(), name="page-manage-figures"),
    path("manage/<id:pk>/figures/csv/", figures.FiguresFileView.as_view(), name="page-manage-figures-csv"),
    path("manage/<id:pk>/team/", team.TeamView.as_view(), name="page-manage-team"),
    # the door
    path("door/enter/<str:text>/", door.EnterView.as_view(), name="page-door-enter"),
    path("door/<id:pk>/enter/", door.StartView.as_view(), name="page-door-start"),
    path("door/worker.js", door.WorkerView.as_view(), name="page-door-worker"),
    path("door/<id:pk>/", door.DoorPage.as_view(), name="page-door"),
    path("door/<id:pk>/status/", checkin.CheckinView.as_view(**AT_DOOR), name="page-door-status"),
    path("door/<id:pk>/scans/", checkin.ScanListView.as_view(**AT_DOOR), name="page-door-scans"),
    path("door/<id:pk>/scans/batch/", checkin.ScanBatchView.as_view(**AT_DOOR), name="page-door-batch"),
    path("door/<id:pk>/scans/<uuid:scan>/", checkin.ScanDetailView.as_view(**AT_DOOR), name="page-door-scan"),
    path("door/<id:pk>/roster/", checkin.RosterView.as_view(**AT_DOOR), name="page-door-roster"),
    path("door/<id:pk>/search/", checkin.SearchView.as_view(**AT_DOOR), name="page-door-search"),
]
