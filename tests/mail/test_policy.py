import smtplib
from datetime import timedelta
from itertools import pairwise

import pytest

from jointoit.mail.policy import Verdict, classify, retry_after

TO = "ada@example.org"


DOWN = Verdict.SERVER_DOWN


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (421, DOWN), (432, DOWN), (450, Verdict.LATER), (451, Verdict.LATER), (452, Verdict.LATER),
        (454, DOWN), (530, DOWN), (535, DOWN), (550, Verdict.NEVER), (551, Verdict.NEVER),
        (552, Verdict.LATER), (553, Verdict.NEVER), (554, Verdict.NEVER), (-1, DOWN), (250, DOWN),
    ],
)  # fmt: skip
def test_an_answer_to_the_recipient_or_the_data_is_about_the_mail_or_the_system(code: int, verdict: Verdict) -> None:
    refused = smtplib.SMTPRecipientsRefused({TO: (code, b"why")})

    assert (classify(refused).verdict, classify(smtplib.SMTPDataError(code, b"why")).verdict) == (verdict, verdict)


@pytest.mark.parametrize(
    ("code", "verdict"),
    [(421, DOWN), (451, Verdict.LATER), (452, Verdict.LATER), (550, DOWN), (553, DOWN)],
)  # fmt: skip
def test_a_sender_that_is_refused_is_our_fault_and_no_mails(code: int, verdict: Verdict) -> None:
    assert classify(smtplib.SMTPSenderRefused(code, b"why", "from@example.org")).verdict is verdict


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(111, "refused"), TimeoutError("timed out"), OSError("no route"),
        smtplib.SMTPAuthenticationError(535, b"no"), smtplib.SMTPConnectError(554, b"go away"),
        smtplib.SMTPNotSupportedError("no STARTTLS"), smtplib.SMTPHeloError(502, b"no"),
    ],
)  # fmt: skip
def test_what_goes_wrong_before_a_mail_is_named_is_an_illness_of_the_system(error: OSError) -> None:
    assert classify(error).verdict is DOWN


def test_an_answer_is_kept_as_one_printable_line() -> None:
    answer = classify(smtplib.SMTPDataError(550, b"No\r\nsuch\x00 user \xff" + b"!" * 1000))

    assert (answer.text[:18], len(answer.text)) == ("550 No such user �", 500)


def test_the_waits_grow_up_to_a_bound_and_are_not_all_alike() -> None:
    waits = [[retry_after(attempt) for _ in range(200)] for attempt in range(1, 30)]

    assert all(min(later) > min(sooner) * 1.2 for sooner, later in pairwise(waits[:8]))
    assert all(timedelta(seconds=45) <= wait <= timedelta(hours=5) for some in waits for wait in some)
    assert len(set(waits[0])) > 100
