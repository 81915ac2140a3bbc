"""The least that could do the job: Starlette, asyncpg, the same token check, one statement, the same JSON.

No account look-up, no outbox, no rate limits, no waiting list, no opening times: a ceiling, not a service.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import jwt
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

REGISTER = """
    WITH seat AS (
        UPDATE event SET seats_taken = seats_taken + 1 WHERE id = $1 AND seats_taken < capacity
        RETURNING id, title, date, location, status
    ), made AS (
        INSERT INTO registration (event_id, attendee_id, status) SELECT id, $2, 'confirmed' FROM seat
        RETURNING id, attendee_id, status, registered_at, updated_at
    )
    SELECT made.id, seat.id, seat.title, seat.date, seat.location, seat.status,
           users.id, users.username, made.status, made.registered_at, made.updated_at
    FROM seat, made JOIN users ON users.id = made.attendee_id
"""
KEY = os.environ["JWT_SIGNING_KEY"]
CLAIMS = {"algorithms": ["HS256"], "audience": "jointoit-api", "issuer": "jointoit"}


def answer(status: int, body: object) -> Response:
    return Response(orjson.dumps(body, option=orjson.OPT_UTC_Z), status, media_type="application/json")


async def register(request: Request) -> Response:
    try:
        claims = jwt.decode(request.headers["authorization"].partition(" ")[2], KEY, **CLAIMS)  # type: ignore[arg-type]
    except (KeyError, jwt.InvalidTokenError):
        return answer(401, {"code": "token_not_valid"})
    pool: asyncpg.Pool = request.app.state.pool
    try:
        row = await pool.fetchrow(REGISTER, request.path_params["id"], int(claims["user_id"]))
    except asyncpg.UniqueViolationError:
        return answer(409, {"code": "already_registered"})
    if row is None:
        return answer(409, {"code": "event_full"})
    event = dict(zip(("id", "title", "date", "location", "status"), row[1:6], strict=True))
    attendee = {"id": row[6], "username": row[7]}
    names = ("id", "event", "attendee", "status", "position", "registered_at", "updated_at")
    return answer(201, dict(zip(names, (row[0], event, attendee, row[8], None, row[9], row[10]), strict=True)))


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=8, max_size=8) as app.state.pool:
        yield


app = Starlette(routes=[Route("/events/{id:int}/register/", register, methods=["POST"])], lifespan=lifespan)
