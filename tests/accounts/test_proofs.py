"""An account without a password: a mailed proof stands in for it, once, for the owner alone."""

import time
from typing import Any

import pytest

from jointoit.accounts import proofs, single_use
from jointoit.accounts.models import ApiKey, SpentToken, User
from jointoit.mail import links
from jointoit.mail.models import OutboxMail

PROOF, PASSWORD, KEYS, ME, EXPORT = (
    f"/users/me/{path}" for path in ("proof/", "password/", "keys/", "", "export/")
)  # fmt: skip
NEW = {"new_password": "weaving algebra"}
KEY = {"name": "Printer", "scopes": ["attendees:read"]}


@pytest.fixture
def grace(make_user) -> User:
    user = make_user(email_verified=True)
    user.set_unusable_password()
    User.objects.filter(pk=user.pk).update(password=user.password)
    return User.objects.get(pk=user.pk)


def proof_of(user: User, kind: Any = "prove") -> str:
    return links.mint(kind, user_id=user.pk, token_epoch=user.token_epoch, address=user.email)


def test_the_proof_goes_to_the_verified_address_at_most_once_in_five_minutes(signed_in, grace, now):
    answers = [signed_in(grace).post(PROOF).status_code for _ in range(2)]
    proofs.ask(user=grace, now=now)

    assert (answers, set(OutboxMail.objects.values_list("kind", "recipient"))) == (
        [202, 202], {("password_proof", grace.email)},
    )  # fmt: skip


@pytest.mark.parametrize("state", ["password", "unverified"])
def test_there_is_no_proof_where_there_is_a_password_or_nobody_reads_the_mail(signed_in, grace, make_user, state):
    user = make_user(email_verified=True) if state == "password" else grace
    user.email_verified = state == "password"

    answer = signed_in(user).post(PROOF)

    assert (answer.status_code, answer.json()["code"], OutboxMail.objects.count()) == (409, "no_proof", 0)


def test_the_first_password_is_set_with_it(signed_in, grace, mails):
    answers = [signed_in(grace).post(PASSWORD, NEW | {"proof": proof_of(grace)}).status_code for _ in range(2)]

    grace.refresh_from_db()
    assert (answers, grace.check_password(NEW["new_password"])) == ([204, 400], True)
    assert mails() == [("password_changed", grace.email)]


def test_a_weak_first_password_does_not_use_it_up(signed_in, grace):
    proof = proof_of(grace)
    answers = [
        signed_in(grace).post(PASSWORD, {"new_password": each, "proof": proof}) for each in ("12345678", *NEW.values())
    ]

    assert [answer.status_code for answer in answers] == [400, 204]


def test_it_makes_one_key_and_no_second(signed_in, grace):
    proof = proof_of(grace)
    answers = [signed_in(grace).post(KEYS, KEY | {"proof": proof}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 400]
    assert answers[1].json()["errors"][0] | {"detail": ""} == {
        "pointer": "#/proof", "code": "invalid_token", "detail": "",
    }  # fmt: skip
    assert (ApiKey.objects.count(), SpentToken.objects.count()) == (1, 1)


def test_a_new_address_needs_no_consent_of_the_old_one_with_it(signed_in, grace):
    proof = proof_of(grace)
    answers = [signed_in(grace).patch(ME, {"email": f"new{n}@example.org", "proof": proof}) for n in range(2)]

    grace.refresh_from_db()
    assert [answer.status_code for answer in answers] == [200, 400]
    assert (grace.pending_email, grace.pending_agreed) == ("new0@example.org", True)


def test_it_exports_and_closes(signed_in, grace):
    client, proof = signed_in(grace), proof_of(grace)
    answers = [client.post(EXPORT, {"proof": proof}), client.post(EXPORT, {"proof": proof})]
    time.sleep(1.1)  # another proof: they differ by the second

    assert [answer.status_code for answer in answers] == [200, 400]
    assert client.delete(ME, {"proof": proof_of(grace)}).status_code == 204
    assert User.objects.get(pk=grace.pk).is_active is False


CALLS = [
    ("post", PASSWORD, NEW), ("post", KEYS, KEY), ("post", EXPORT, {}), ("delete", ME, {}),
    ("patch", ME, {"email": "new@example.org"}),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
def test_no_other_token_stands_in(signed_in, grace, make_user, monkeypatch, method, path, body):
    with monkeypatch.context() as patch:
        then = time.time() - 15 * 60 - 1
        patch.setattr("django.core.signing.time.time", lambda: then)
        old = proof_of(grace)
    spent = proof_of(grace)
    SpentToken.objects.create(digest=single_use.digest(spent), until="2099-01-01T00:00Z")
    with_password = make_user(email_verified=True)
    of_others = (proof_of(make_user()), proof_of(grace, "log_in"), proof_of(grace, "reset_password"))
    tried = [*((grace, token) for token in ("junk", old, spent, *of_others)), (with_password, proof_of(with_password))]

    answers = [getattr(signed_in(user), method)(path, body | {"proof": token}) for user, token in tried]

    assert {(answer.status_code, answer.json()["errors"][0]["pointer"]) for answer in answers} == {(400, "#/proof")}
    assert User.objects.get(pk=grace.pk).has_usable_password() is False


@pytest.mark.parametrize(("method", "path", "body"), CALLS[:-1])
def test_without_either_the_password_is_asked_for(signed_in, grace, method, path, body):
    answer = getattr(signed_in(grace), method)(path, body)

    name = "current_password" if path == PASSWORD else "password"
    assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == [(f"#/{name}", "required")]


def test_used_tokens_are_forgotten_when_they_would_have_died(grace, now):
    single_use.spend("a", lifetime=proofs.LIFETIME, now=now - 2 * proofs.LIFETIME)
    single_use.spend("b", lifetime=proofs.LIFETIME, now=now)

    assert (single_use.prune(now), [row.digest for row in SpentToken.objects.all()]) == (1, [single_use.digest("b")])


# ── On the page ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def browser_of(client):
    def enter(user):
        client.force_login(user)
        return client

    return enter


def test_the_page_asks_for_the_mail_and_sets_the_first_password(browser_of, grace):
    client = browser_of(grace)
    before = client.get("/me/account/").text
    client.post("/me/account/", {"do": "prove"})
    proof = proof_of(grace)
    page = client.get("/me/proof/", {"token": proof}, follow=True).text

    assert ("Set the password" in before, "Send me the mail" in before, f'value="{proof}"' in page) == (
        False,
        True,
        True,
    )
    client.post("/me/account/", {"do": "password", "proof": proof, **NEW})
    grace.refresh_from_db()
    assert (grace.check_password(NEW["new_password"]), client.get("/me/").status_code) == (True, 200)
    assert OutboxMail.objects.filter(kind="password_proof").count() == 1


def test_the_page_closes_the_account_with_it(browser_of, grace):
    client = browser_of(grace)
    assert "Close my account for good" not in client.get("/me/account/close/").text
    proof = proof_of(grace)
    client.get("/me/proof/", {"token": proof})

    assert "Close my account for good" in client.get("/me/account/close/").text
    assert "Your account is closed" in client.post("/me/account/close/", {"proof": proof}).text


def test_the_link_of_another_person_or_one_that_is_old_proves_nothing(browser_of, grace, make_user):
    client = browser_of(grace)
    tokens = ("junk", proof_of(make_user()), proof_of(grace, "log_in"))
    pages = [client.get("/me/proof/", {"token": token}) for token in tokens]

    assert [(page.status_code, "This link is used" in page.text) for page in pages] == [(400, True)] * 3
    assert "Send me the mail" in client.get("/me/account/").text
