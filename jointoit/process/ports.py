"""Says in a sentence why nothing can listen at a place, before somebody tries."""

import errno
import socket
import sys
from collections.abc import Mapping


def refuse_busy(places: Mapping[str, tuple[str, int]]) -> None:
    """Exit with a line for each variable whose place cannot be used. Two servers could share one without a word."""
    found = [reason for variable, place in places.items() if (reason := why_not(variable, *place))]
    if found:
        sys.exit("\n".join(found))


def why_not(variable: str, host: str, number: int) -> str:
    """A sentence that says why nothing can listen there; empty when it can."""
    try:
        listen(host, number).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return f"Port {number} is in use by another program: stop it, or choose another port with {variable}=."
        if error.errno == errno.EACCES:
            return f"Port {number} may be used by root only: choose one above 1023 with {variable}=."
        return f"Nothing can listen on {host}, port {number} ({error.strerror}): see HOST and {variable}."
    return ""


def listen(host: str, number: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host.strip("[]"), number), family=family)
