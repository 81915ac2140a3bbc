"""Access tokens as the service writes them, for as many people as are needed, without logging in."""

from datetime import UTC, datetime, timedelta

import jwt


def access_token(user: int, key: str) -> str:
    """With the claims of `jointoit.accounts.jwt`, signed with `key`, and good for longer than any benchmark runs."""
    now = datetime.now(UTC)
    claims = {
        "token_type": "access", "user_id": str(user), "epoch": 0, "jti": f"{user:032x}", "iss": "jointoit",
        "aud": "jointoit-api", "iat": now, "exp": now + timedelta(days=1),
    }  # fmt: skip
    return jwt.encode(claims, key, "HS256")
