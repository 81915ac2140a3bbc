"""The ceiling: Starlette, asyncpg and SQL by hand over the same table and indexes, without accounts, limits or checks.

`granian --interface asgi benchmarks.peers.bare_reads:application`. Its results have the bytes of ours; the link to the
next page holds the key as it is.
"""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

TIMES = {"date", "ends_at", "registration_opens_at", "registration_closes_at", "created_at", "updated_at"}
MEMBERS = [
    "id",
    "title",
    "description",
    "date",
    "ends_at",
    "timezone",
    "location",
    "organizer",
    "capacity",
    "seats_taken",
    "seats_left",
    "waitlist",
    "waiting",
    "requires_approval",
    "registration_opens_at",
    "registration_closes_at",
    "status",
    "tags",
    "created_at",
    "updated_at",
]
COLUMNS = {"organizer": "organizer_id", "seats_left": "(capacity - seats_taken)"}


def utc(column: str) -> str:
    whole, split = """'YYYY-MM-DD"T"HH24:MI:SS"Z"'""", """'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'"""
    is_whole = f"{column} = date_trunc('second', {column})"
    return f"to_char({column} AT TIME ZONE 'UTC', CASE WHEN {is_whole} THEN {whole} ELSE {split} END)"


def member(name: str) -> str:
    return f"'{name}', {utc(name) if name in TIMES else COLUMNS.get(name, name)}"


DOCUMENT = f"json_build_object({', '.join(map(member, MEMBERS))})::text AS document"
VISIBLE = "deleted_at IS NULL AND status IN ('published', 'cancelled')"

#: What each parameter adds to WHERE, and how its text is read. `plan_cache_mode` lets PostgreSQL see the values.
FILTERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "title": ("title_folded LIKE ${}", lambda text: f"%{text}%"),
    "location": ("location_folded LIKE ${}", lambda text: f"%{text}%"),
    "organizer": ("organizer_id = ${}", int),
    "status": ("status = ${}", str),
    "tag": ("tags @> ${}", lambda text: [text]),
    "date_from": ("date >= ${}", datetime.fromisoformat),
    "has_seats": ("is_full = ${}", lambda text: text == "false"),
    "search": ("words @@ plainto_tsquery('simple', events_plain_text(${}))", str),
}


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    options = {"plan_cache_mode": "force_custom_plan", "work_mem": "16MB"}
    app.state.pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=4, max_size=4,
                                               server_settings=options)  # fmt: skip
    yield
    await app.state.pool.close()


async def events(request: Request) -> Response:
    where, values = [VISIBLE], []
    for name, text in request.query_params.items():
        if name in FILTERS:
            values.append(FILTERS[name][1](text))
            where.append(FILTERS[name][0].format(len(values)))
    if cursor := request.query_params.get("cursor"):
        moment, _, pk = cursor.rpartition("_")
        values += [datetime.fromisoformat(moment), int(pk)]
        where.append(f"(date, id) > (${len(values) - 1}, ${len(values)})")
    rank = "ts_rank(words, plainto_tsquery('simple', events_plain_text($1))) DESC, "
    order = rank if "search" in request.query_params else ""
    sql = f"SELECT {DOCUMENT}, date, id FROM events_event WHERE {' AND '.join(where)} ORDER BY {order}date, id LIMIT 21"
    rows = await request.app.state.pool.fetch(sql, *values)
    following = "null"
    if len(rows) == 21:
        last = rows[19]
        cursor = f"{last['date'].isoformat()}_{last['id']}"
        following = f'"{request.url.replace_query_params(cursor=cursor)}"'
    found = ",".join(row["document"] for row in rows[:20])
    return Response(f'{{"next":{following},"previous":null,"results":[{found}]}}', media_type="application/json")


async def event(request: Request) -> Response:
    sql = f"SELECT {DOCUMENT} FROM events_event WHERE id = $1 AND {VISIBLE}"
    document = await request.app.state.pool.fetchval(sql, request.path_params["pk"])
    return Response(document or "null", 200 if document else 404, media_type="application/json")


application = Starlette(routes=[Route("/events/", events), Route("/events/{pk:int}/", event)], lifespan=lifespan)
