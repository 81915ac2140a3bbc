"""What `test_gateway` serves: an application that tells what it was given, or goes on and on."""

import itertools
import json
import time
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from jointoit.api.http import gateway

gateway.BODY_TIME = 3.0  # type: ignore[misc]
PAUSES = {"/endless/": 0.001, "/slow/": 1.0}  # seconds
sent: list[int] = []


def echo(environ: dict[str, Any], start_response: Any) -> HttpResponseBase:
    body: BytesIO = environ["wsgi.input"]
    texts = {name: value for name, value in environ.items() if isinstance(value, str)}
    answer: HttpResponseBase = HttpResponse(json.dumps({**texts, "body": len(body.getvalue()), "sent": len(sent)}))
    if pause := PAUSES.get(environ["PATH_INFO"]):
        answer = StreamingHttpResponse(endless(pause))
    start_response("200 OK", list(answer.headers.items()))
    return answer


def endless(pause: float) -> Iterator[bytes]:
    for number in itertools.count():
        sent.append(number)
        yield b"%d\n" % number
        time.sleep(pause)


application = gateway.Gateway(echo, threads=1, places=64)
