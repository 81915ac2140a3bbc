"""Who you are."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import PermissionsMixin
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models.functions import Now, Upper
from django.utils.crypto import salted_hmac
from django.utils.timezone import now as this_moment

from jointoit.accounts.signals import access_was_ended, password_was_written

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager


#: How the username of an account begins that was closed; no living one may have a colon.
ERASED = "deleted:"


def full_name(username: str, first_name: str, last_name: str) -> str:
    """How a person is called: without a name by the username, and once the account is closed by neither."""
    if username.startswith(ERASED):
        return "A closed account"
    return f"{first_name} {last_name}".strip() or username


VALID_USERNAME = UnicodeUsernameValidator(regex=r"^[\w.+-]+\Z", message="Letters, digits and . + - _ only.")


class UserManager(BaseUserManager["User"]):
    def by_login(self, login: str) -> models.QuerySet["User"]:
        """Whoever `login` names: a username or, where it has an @ (which no username has), an e-mail, in any case."""
        return self.filter(**{"email__iexact" if "@" in login else "username__iexact": User.normalize_username(login)})

    def lock(self, pk: int) -> models.QuerySet["User"]:
        """Lock one account until the transaction ends, without keeping others from inserting rows that refer to it."""
        return self.select_for_update(no_key=True, of=("self",)).filter(pk=pk)

    def get_by_natural_key(self, username: str | None) -> "User":
        """The admin's login page, too, takes either name in any case."""
        return self.by_login(username or "").get()

    def create_user(self, username: str, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(username=self.model.normalize_username(username), email=email, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, username: str, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(username, email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    username = models.CharField(
        max_length=150,
        validators=[VALID_USERNAME],
        help_text="Unique in any case; letters, digits and . + - _",
    )
    email = models.EmailField(max_length=254, help_text="Unique in any case.")
    email_verified = models.BooleanField(default=False)
    pending_email = models.EmailField(
        max_length=254, blank=True, default="", help_text="Takes the place of the e-mail once it is confirmed."
    )
    pending_agreed = models.BooleanField(
        default=False,
        db_default=False,
        help_text="The password, or the present address, has agreed to the pending one.",
    )
    pending_confirmed = models.BooleanField(
        default=False, db_default=False, help_text="The link that went to the pending e-mail was used."
    )
    first_name = models.CharField(max_length=150, blank=True)
    last_name = models.CharField(max_length=150, blank=True)
    timezone = models.CharField(max_length=64, default="UTC", help_text="IANA name; mails write their times in it.")
    is_staff = models.BooleanField(default=False, help_text="May open the admin.")
    is_active = models.BooleanField(default=True, help_text="Off: no login, and every token is dead at once.")
    token_epoch = models.PositiveIntegerField(
        default=0, help_text="Copied into each token; raising it ends every token given out so far."
    )
    date_joined = models.DateTimeField(default=this_moment, editable=False)

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["email"]

    objects: ClassVar[UserManager] = UserManager()

    if TYPE_CHECKING:
        refresh_tokens: "RelatedManager[RefreshToken]"
        keys: "RelatedManager[ApiKey]"

    class Meta:
        # Upper, because Django's `iexact` compares UPPER(…): the constraint's index also serves the login.
        constraints = [
            models.UniqueConstraint(
                Upper("username"),
                name="user_username_unique",
                violation_error_message="This username is taken.",
                violation_error_code="unique",
            ),
            models.UniqueConstraint(
                Upper("email"),
                name="user_email_unique",
                violation_error_message="An account with this e-mail exists.",
                violation_error_code="unique",
            ),
        ]

    def __str__(self) -> str:
        return self.username

    def get_full_name(self) -> str:
        return full_name(self.username, self.first_name, self.last_name)

    #: What `end_access` changes in the row, for `update_fields`.
    ENDED: Final = ("token_epoch", "pending_email", "pending_agreed", "pending_confirmed")

    def end_access(self, *, keys: bool) -> Self:
        """End every token, session and link given out so far, an asked-for change of address, and perhaps the keys.

        With the keys goes the address of the calendar, which opens something without a log-in too.
        The caller holds the row and saves `ENDED`.
        """
        self.token_epoch += 1
        self.want_email("")
        self.refresh_tokens.all().delete()
        if keys:
            self.keys.filter(revoked_at=None).update(revoked_at=Now())
            CalendarAddress.objects.filter(user=self).delete()
            access_was_ended.send(sender=User, user=self)
        return self

    def want_email(self, address: str, *, agreed: bool = False) -> None:
        """Note the address to have from now on, or none, which nobody has confirmed yet; the caller saves."""
        self.pending_email, self.pending_agreed, self.pending_confirmed = address, agreed, False

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write the row; where that puts another password in place, end all that the old one had opened, keys too.

        Whoever writes a hash comes by here: the verbs, the admin's own pages, `manage.py changepassword`. A verb that
        has ended access itself has decided about the keys, and tells the owner.
        """
        fields = kwargs.get("update_fields")
        if self._state.adding or (fields is not None and "password" not in fields):
            super().save(*args, **kwargs)
            return
        with transaction.atomic():
            held = User.objects.lock(self.pk).only("password", "token_epoch").first()
            written_here = held is not None and held.password != self.password and self.token_epoch <= held.token_epoch
            if held is not None and self.token_epoch < held.token_epoch:  # read before others ended what they ended
                self.token_epoch = held.token_epoch
            if written_here:
                self.end_access(keys=True)
                kwargs["update_fields"] = None if fields is None else {*fields, *self.ENDED}
            super().save(*args, **kwargs)
            if written_here:
                password_was_written.send(sender=User, user=self)

    def check_password(self, raw_password: str | None) -> bool:
        """Whether it is the password. A hash by older rules is renewed, unless the password changed meanwhile."""

        def renew(raw: str) -> None:
            encoded = make_password(raw)
            if User.objects.filter(pk=self.pk, password=self.password).update(password=encoded):
                self.password = encoded

        return check_password(raw_password, self.password, renew)

    def get_session_auth_hash(self) -> str:
        """What a session of the admin is good for: it ends with the tokens, and outlives a renewed hash."""
        return salted_hmac("jointoit.accounts.session", f"{self.pk}:{self.token_epoch}", algorithm="sha256").hexdigest()


class RefreshToken(models.Model):
    """One refresh token of a family, which is one log-in; a family ends when its rows are deleted.

    The token itself is not stored and cannot be made from this row without the signing key.
    """

    jti = models.CharField(max_length=64, primary_key=True)
    family = models.UUIDField(db_index=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="refresh_tokens")
    origin = models.CharField(
        max_length=64, blank=True, default="", help_text="Keyed hash of the address that logged in, never the address."
    )
    device = models.CharField(
        max_length=200, blank=True, default="", db_default="", help_text="What the program that logged in calls itself."
    )
    began_at = models.DateTimeField(null=True, help_text="When the family began.")
    issued_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, help_text="When it was exchanged for its successor.")

    def __str__(self) -> str:
        return self.jti


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def living(self, now: datetime | Now) -> Self:
        """The keys that are good."""
        return self.filter(revoked_at=None, expires_at__gt=now)


class ApiKey(models.Model):
    """What a program of somebody's sends instead of logging in: good for some calls, some events, some time.

    The secret is not stored, but its SHA-256: unlike a password it has 190 bits of chance, and cannot be guessed.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="keys")
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64)
    scopes = ArrayField(models.CharField(max_length=30))
    events = ArrayField(models.BigIntegerField(), null=True, help_text="The events it is good for; null: all.")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True, help_text="At most a minute old.")

    objects = ApiKeyQuerySet.as_manager()

    #: How the text of each begins.
    PREFIX: ClassVar[str] = "jtk"

    class Meta:
        ordering: ClassVar[Sequence[str]] = ["pk"]

    def __str__(self) -> str:
        return f"{self.PREFIX}_{self.pk}"


class FormerAddress(models.Model):
    """An address that an account has left a short time ago: its reader may take the step back.

    Until then nobody else opens an account with it. The row goes when its time is over, or with the account.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="former_addresses")
    address = models.EmailField(max_length=254)
    until = models.DateTimeField()

    class Meta:
        indexes = [models.Index(Upper("address"), name="former_address")]

    def __str__(self) -> str:
        return f"{self.user_id} until {self.until:%Y-%m-%d}"


class LoginPlace(models.Model):
    """Where an account was signed in to a short time ago: from there its owner passes while others guess."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="login_places")
    origin = models.CharField(max_length=64, help_text="Keyed hash of the address, never the address.")
    seen_at = models.DateTimeField(help_text="The last log-in from there.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "origin"], name="login_place_once")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.seen_at:%Y-%m-%d}"


class CalendarAddress(models.Model):
    """Where somebody's calendar program reads their registrations: whoever has the address may read it.

    The secret in it is not stored, but its SHA-256, as that of a key.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"calendar of {self.user_id}"


class SpentToken(models.Model):
    """A token from a mail that is good once, and was used. The row goes when the token would have died anyway."""

    digest = models.CharField(max_length=64, primary_key=True)
    until = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"spent until {self.until:%Y-%m-%d}"
