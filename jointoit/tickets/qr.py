"""The QR of a token: black on white whatever the page around it, with the quiet zone that readers need."""

import io
from typing import Final

import segno

#: Error correction M reads with 15 % of it dirty, and keeps a token in version 5 or 6 (ISO/IEC 18004).
ERROR: Final = "m"
BORDER: Final = 4  # modules
COLOURS: Final = {"dark": "#000000", "light": "#ffffff"}


def drawn(token: str) -> segno.QRCode:
    return segno.make(token, error=ERROR, mode="alphanumeric", micro=False, boost_error=False)


def svg(token: str) -> bytes:
    """Grows with whatever holds it."""
    out = io.BytesIO()
    drawn(token).save(out, kind="svg", border=BORDER, omitsize=True, title="QR", **COLOURS)
    return out.getvalue()


def png(token: str, *, scale: int = 8) -> bytes:
    """`scale` pixels a module: about 400 in all at 8."""
    out = io.BytesIO()
    drawn(token).save(out, kind="png", border=BORDER, scale=scale, **COLOURS)
    return out.getvalue()
