"""Words that everybody tries first at this service, and at this account, make no password (ASVS 5.0, 6.2.11)."""

import re
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError

SERVICE: Final = "jointoit"
SHORTEST: Final = 3  # letters; what is shorter is no word
NOT_LETTERS: Final = re.compile(r"[\W\d_]+")


class KnownWordsValidator:
    """Refuses what is nothing but words of the service, its host or the account, with digits and signs around them."""

    message = "The password must be more than the name of this service or words of your account."

    def validate(self, password: str, user: Any = None) -> None:
        letters = "".join(words_in(password))
        if not letters:
            return
        for word in sorted(known_words(user), key=len, reverse=True):
            letters = letters.replace(word, "")
        if not letters:
            raise ValidationError(self.message, code="password_of_known_words")

    def get_help_text(self) -> str:
        return self.message


def words_in(text: str) -> list[str]:
    return [word for word in NOT_LETTERS.split(text.casefold()) if word]


def known_words(user: Any) -> set[str]:
    host = urlsplit(settings.PUBLIC_URL).hostname or ""
    texts = [SERVICE, host, *(getattr(user, name, "") for name in ("username", "email", "first_name", "last_name"))]
    found = [word for text in texts for word in words_in(text)]
    return {word for word in found if len(word) >= SHORTEST}
