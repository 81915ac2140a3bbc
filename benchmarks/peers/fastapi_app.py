"""What a Python team writes today: FastAPI, Pydantic, SQLAlchemy on asyncpg, PyJWT; lists, an event and a seat.

It reads and writes our tables with our indexes, loads the user of a token, and locks the row of an event that is
registered for. No outbox, no rate limits, no waiting list, approval or opening times, no ETags.
"""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any

import jwt
from fastapi import Depends, FastAPI, HTTPException, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict
from sqlalchemy import ARRAY, ColumnElement, DateTime, ForeignKey, String, make_url, or_, select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

PAGE = 20
KEY = os.environ["JWT_SIGNING_KEY"]

engine = create_async_engine(
    make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+asyncpg"),
    # Of each worker, as many as `bare` has in the rush. The default, 5 and 10 that come and go, answered a third less.
    pool_size=8,
    max_overflow=0,
)
sessions = async_sessionmaker(engine, expire_on_commit=False)
app = FastAPI()


# ── Tables ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Base(DeclarativeBase):
    type_annotation_map = {datetime: DateTime(timezone=True), list[str]: ARRAY(String)}


def now() -> datetime:
    return datetime.now(UTC)


class User(Base):
    __tablename__ = "accounts_user"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str]
    is_active: Mapped[bool]


class Event(Base):
    __tablename__ = "events_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    title_folded: Mapped[str] = mapped_column(deferred=True)
    description: Mapped[str]
    date: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    timezone: Mapped[str]
    location: Mapped[str]
    organizer: Mapped[int] = mapped_column("organizer_id", ForeignKey("accounts_user.id"))
    capacity: Mapped[int | None]
    seats_taken: Mapped[int]
    waitlist: Mapped[bool]
    waiting: Mapped[int]
    requires_approval: Mapped[bool]
    registration_opens_at: Mapped[datetime | None]
    registration_closes_at: Mapped[datetime | None]
    status: Mapped[str]
    tags: Mapped[list[str]]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None] = mapped_column(deferred=True)

    @property
    def seats_left(self) -> int | None:
        return None if self.capacity is None else self.capacity - self.seats_taken


class Registration(Base):
    __tablename__ = "events_registration"

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events_event.id"))
    attendee_id: Mapped[int] = mapped_column(ForeignKey("accounts_user.id"))
    status: Mapped[str] = mapped_column(default="confirmed")
    revision: Mapped[int] = mapped_column(default=0)
    registered_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
    event: Mapped[Event] = relationship()
    attendee: Mapped[User] = relationship()


# ── Shapes ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Shape(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class EventSummary(Shape):
    id: int
    title: str
    date: datetime
    location: str
    status: str


class EventOut(Shape):
    id: int
    title: str
    description: str
    date: datetime
    ends_at: datetime | None
    timezone: str
    location: str
    organizer: int
    capacity: int | None
    seats_taken: int
    seats_left: int | None
    waitlist: bool
    waiting: int
    requires_approval: bool
    registration_opens_at: datetime | None
    registration_closes_at: datetime | None
    status: str
    tags: list[str]
    created_at: datetime
    updated_at: datetime


class EventPage(BaseModel):
    next: str | None
    previous: None = None
    results: list[EventOut]


class Attendee(Shape):
    id: int
    username: str


class RegistrationOut(Shape):
    id: int
    event: EventSummary
    attendee: Attendee
    status: str
    position: None = None
    registered_at: datetime
    updated_at: datetime


# ── Who asks, and for what ────────────────────────────────────────────────────────────────────────────────────────────


async def get_session() -> AsyncIterator[AsyncSession]:
    async with sessions() as session:
        yield session


Session = Annotated[AsyncSession, Depends(get_session)]
Token = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]


def unauthorized() -> HTTPException:
    return HTTPException(401, "Could not validate credentials", headers={"WWW-Authenticate": "Bearer"})


async def get_user(token: Token, session: Session) -> User | None:
    """Whoever sent the token; None where there is none."""
    if token is None:
        return None
    try:
        claims = jwt.decode(token.credentials, KEY, algorithms=["HS256"], audience="jointoit-api", issuer="jointoit")
        user = await session.get(User, int(claims["user_id"]))
    except (jwt.InvalidTokenError, KeyError, ValueError) as error:
        raise unauthorized() from error
    if user is None or not user.is_active:
        raise unauthorized()
    return user


Reader = Annotated[User | None, Depends(get_user)]


async def get_sender(user: Reader) -> User:
    if user is None:
        raise unauthorized()
    return user


Sender = Annotated[User, Depends(get_sender)]


def visible_to(user: User | None) -> ColumnElement[bool]:
    public = Event.status.in_(["published", "cancelled"])
    return Event.deleted_at.is_(None) & (or_(public, Event.organizer == user.id) if user else public)


def get_cursor(cursor: str | None = None) -> tuple[datetime, int] | None:
    """The date and id of the last event of the page before."""
    if cursor is None:
        return None
    try:
        date, _, pk = cursor.rpartition("_")
        return datetime.fromisoformat(date), int(pk)
    except ValueError as error:
        raise HTTPException(422, "Not a cursor of this list") from error


# ── Routes ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@app.get("/events/")
async def list_events(
    request: Request,
    session: Session,
    user: Reader,
    cursor: Annotated[tuple[datetime, int] | None, Depends(get_cursor)],
    title: Annotated[str | None, Query(min_length=1)] = None,
) -> EventPage:
    events = select(Event).where(visible_to(user)).order_by(Event.date, Event.id).limit(PAGE + 1)
    if title:
        events = events.where(Event.title_folded.contains(title.casefold(), autoescape=True))
    if cursor:
        events = events.where(tuple_(Event.date, Event.id) > cursor)
    found = (await session.scalars(events)).all()
    following = None
    if len(found) > PAGE:
        last = found[PAGE - 1]
        following = str(request.url.include_query_params(cursor=f"{last.date.isoformat()}_{last.id}"))
    return EventPage(next=following, results=[EventOut.model_validate(event) for event in found[:PAGE]])


@app.get("/events/{pk}/", response_model=EventOut)
async def show_event(pk: int, session: Session, user: Reader) -> Any:
    event = await session.scalar(select(Event).where(Event.id == pk, visible_to(user)))
    if event is None:
        raise HTTPException(404, "There is no such event")
    return event


@app.post("/events/{pk}/register/", status_code=201, response_model=RegistrationOut)
async def register(pk: int, session: Session, user: Sender) -> Any:
    event = await session.scalar(select(Event).where(Event.id == pk, visible_to(user)).with_for_update())
    if event is None:
        raise HTTPException(404, "There is no such event")
    if event.status != "published" or event.date <= now():
        raise HTTPException(409, "This event takes no registrations")
    if event.seats_left == 0:
        raise HTTPException(409, "Every seat of this event is taken")
    event.seats_taken += 1
    registration = Registration(event=event, attendee=user)
    session.add(registration)
    try:
        await session.commit()
    except IntegrityError as error:
        raise HTTPException(409, "You are registered for this event") from error
    return registration
