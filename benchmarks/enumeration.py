"""Does the time of an answer tell who has an account? Existing, inactive and unknown, asked in turns over HTTP.

`python -m benchmarks.enumeration [times]`: medians of each kind beside that of the existing account, and whether every
answer has the same status, headers and bytes. Passwords are hashed as in production.
"""

import argparse
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

import httpx
import psycopg

from laptop import stack
from tests.live import UNLIMITED, Live, production, serve

KINDS = ("existing", "inactive", "unknown")
#: What no two answers have in common, whoever is asked about.
OF_EACH_ANSWER = ("date", "x-request-id")
TURNS = {"token": 1, "reset": 5, "resend": 1}  # a quick answer is asked for more often, or chance decides
ALLOWED = 0.05  # of the median of the existing account
#: For who is signed in: whether the address is confirmed, and which other one waits to be.
STATES = {"existing": (False, ""), "inactive": (True, ""), "unknown": (True, "elsewhere@example.org")}
WAITS = "UPDATE accounts_user SET email_verified = %s, pending_email = %s WHERE username = %s"


@contextmanager
def service() -> Iterator[Live]:
    with stack.discarded("jointoit-enumeration-") as (folder, urls):
        os.environ |= urls
        with serve(folder, **production(folder, **UNLIMITED), LOG_LEVEL="ERROR") as live:
            yield live


def calls(live: Live) -> dict[str, dict[str, httpx.Request]]:
    """What is asked, of whom."""
    asked: dict[str, dict[str, httpx.Request]] = {"token": {}, "reset": {}, "resend": {}}
    signed_in = {kind: live.person(f"waits-{kind}") for kind in KINDS}
    for kind in ("existing", "inactive"):
        live.person(kind)
    with psycopg.connect(live.environment["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("UPDATE accounts_user SET is_active = false WHERE username = 'inactive'")
        for kind, state in STATES.items():
            connection.execute(WAITS, [*state, f"waits-{kind}"])
    for kind in KINDS:
        address = f"{kind}@example.org"
        body = {"username": address, "password": "a wrong one"}
        asked["token"][kind] = httpx.Request("POST", f"{live.url}/api/token/", json=body)
        asked["reset"][kind] = httpx.Request("POST", f"{live.url}/users/password-reset/", json={"email": address})
        url = f"{live.url}/users/verify-email/resend/"
        asked["resend"][kind] = httpx.Request("POST", url, headers=signed_in[kind])
    return asked


def look(answer: httpx.Response) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
    """All that a client sees but what differs from answer to answer."""
    headers = tuple(sorted(item for item in answer.headers.items() if item[0] not in OF_EACH_ANSWER))
    return answer.status_code, headers, answer.content.replace(answer.headers["x-request-id"].encode(), b"")


def compare(name: str, requests: dict[str, httpx.Request], times: int) -> bool:
    """Ask in turns, and tell what differs; whether nothing does.

    The time of `resend` is told and not judged: only the owner can ask, who knows whether an address waits.
    """
    seconds, looks = defaultdict(list), set()
    with httpx.Client(timeout=60) as client:
        for turn in range(times + 5):
            for kind, request in requests.items():
                started = time.perf_counter()
                answer = client.send(request)
                if turn >= 5:  # the first ones warm up
                    seconds[kind].append(time.perf_counter() - started)
                looks.add(look(answer))
    usual = median(seconds["existing"])
    apart = max(abs(median(each) / usual - 1) for each in seconds.values())
    shown = ", ".join(f"{kind} {median(each) * 1000:.2f} ms" for kind, each in seconds.items())
    sys.stdout.write(f"{name:7} {times} × {shown}: at most {apart:.1%} apart; {len(looks)} kind of answer\n")
    return (apart <= ALLOWED or name == "resend") and len(looks) == 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("times", type=int, nargs="?", default=200)
    times = parser.parse_args().times
    with service() as live:
        is_same = [compare(name, requests, times * TURNS[name]) for name, requests in calls(live).items()]
    sys.exit(not all(is_same))


if __name__ == "__main__":
    main()
