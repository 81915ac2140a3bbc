"""Bodies are JSON objects in UTF-8 that every reader understands in the same way; all others are 400 or 415."""

import time
from contextlib import suppress
from typing import Any

import pytest

from jointoit.api.http import parsing
from tests.client import BrowserClient

pytestmark = pytest.mark.urls("tests.api.views_behind_limits")


def send(client: BrowserClient, body: bytes, media_type: str = "application/json", **headers: str) -> Any:
    return client.post("/echo/", body, content_type=media_type, headers=headers)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b" ", "not_json"),
        (b"null", "not_an_object"),
        (b"[]", "not_an_object"),
        (b'"x"', "not_an_object"),
        (b'{"a": ', "not_json"),
        (b"{'a': 1}", "not_json"),
        (b'{"a": 1}}', "not_json"),
        (b'{"a": 01}', "not_json"),
        (b'{"a": 1_000}', "not_json"),
        (b'{"a": "\n"}', "not_json"),
        (b'{"a": "\xff"}', "not_utf8"),
        (b'\xef\xbb\xbf{"a": 1}', "not_utf8"),
        ('{"a": 1}'.encode("utf-16"), "not_utf8"),
        ('{"a": 1}'.encode("utf-16-le"), "not_json"),
        (b'{"a": NaN}', "not_finite"),
        (b'{"a": -Infinity}', "not_finite"),
        (b'{"a": 1e400}', "not_finite"),
        (b'{"a": %d}' % 2**63, "too_large_integer"),
        (b'{"a": -%d}' % 2**63, "too_large_integer"),
        (b'{"a": ' + b"9" * 5_000 + b"}", "too_large_integer"),
        (b'{"a": ' + b"[" * 2_000 + b"]" * 2_000 + b"}", "too_deep"),
        (b'{"a": ' + b"[" * 60_000 + b"}", "too_deep"),
        (b'{"a": ' + b"[" * 32 + b"]" * 32 + b"}", "too_deep"),
        (b'{"a":' * 12_000, "too_deep"),
        (b'{"a": [' + b"0," * 2_000 + b"0]}", "too_many_values"),
        (b'{"a": 1, "a": 1}', "duplicate_member"),
        (b'{"a": {"b": 1, "\\u0062": 2}}', "duplicate_member"),
        (b'{"a": "\\ud800"}', "not_a_character"),
        (b'{"\\udfff": 1}', "not_a_character"),
        (b'{"a": ["\\u0000"]}', "not_a_character"),
    ],
)
def test_a_body_that_readers_could_disagree_on_is_refused(client: BrowserClient, body: bytes, reason: str) -> None:
    response = send(client, body)
    assert (response.status_code, response.json()["code"]) == (400, "invalid_json")
    detail = parsing.InvalidJSON.REASONS[reason]
    assert response.json()["errors"] == [{"pointer": "#", "code": reason, "detail": detail}]


@pytest.mark.parametrize(
    "value",
    ["ä", "😀", "\u2028", 2**63 - 1, -(2**63) + 1, 1.5, 1e308, True, None, [], {}, {"b": [{"c": "d"}]}],
)
def test_every_other_value_arrives_as_it_was_sent(client: BrowserClient, value: Any) -> None:
    response = client.post("/echo/", {"a": value}, content_type="application/json")
    assert response.json()["body"] == {"a": value}


def test_a_pair_of_surrogates_is_one_character(client: BrowserClient) -> None:
    assert send(client, b'{"a": "\\ud83d\\ude00"}').json()["body"] == {"a": "😀"}


def test_depth_and_number_of_values_may_reach_their_limits(client: BrowserClient) -> None:
    deep = b'{"a": ' + b"[" * 31 + b"]" * 31 + b"}"
    wide = b'{"a": [' + b"0," * 1_997 + b"0]}"
    assert [send(client, body).status_code for body in (deep, wide)] == [200, 200]


def test_no_body_is_fine_where_none_is_needed(client: BrowserClient) -> None:
    assert client.post("/echo/", "", content_type="text/plain").json()["body"] == {}


@pytest.mark.parametrize(
    "media_type",
    [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json-patch+json",
        "*/*",
        "application/json; charset=utf-7",
        "application/json; charset=iso-8859-1",
        "",
    ],
)
def test_other_media_types_and_character_sets_are_415(client: BrowserClient, media_type: str) -> None:
    response = send(client, b'{"a": 1}', media_type)
    assert (response.status_code, response["Accept"], response["Accept-Encoding"]) == (
        415,
        "application/json",
        "identity",
    )


@pytest.mark.parametrize("media_type", ["application/json; charset=UTF-8", 'Application/JSON;charset="utf-8"'])
def test_utf_8_may_be_said(client: BrowserClient, media_type: str) -> None:
    assert send(client, b'{"a": 1}', media_type).status_code == 200


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "identity, gzip"])
def test_compressed_bodies_are_415(client: BrowserClient, coding: str) -> None:
    assert send(client, b"{}", **{"Content-Encoding": coding}).status_code == 415


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": ' + b"[" * 65_000,
        b'{"a": "' + b"\\u0041" * 10_000 + b'"}',
        b'{"a": 0.' + b"1" * 65_000 + b"}",
        b'{"a": -' + b"1" * 65_000 + b"}",
        b"{" + b",".join(b'"%d": 0' % number for number in range(6_000)) + b"}",
    ],
)
def test_no_body_of_the_largest_size_takes_long(body: bytes) -> None:
    started = time.process_time()
    with suppress(parsing.InvalidJSON):
        parsing.parse(body)
    assert time.process_time() - started < 0.25
