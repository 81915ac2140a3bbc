#!/usr/bin/env python
"""The command line of a developer: with nothing set it works on this machine, with servers of its own."""

import os
import sys

from config import env
from jointoit.api import command_line
from laptop import companions, stack

NEEDS_NO_SERVER = {"help", "-h", "--help", "version", "--version"}
#: What asks about a service that runs somewhere: a database made for the question would answer for another one.
ASKS_ABOUT_ONE = {"check_invariants", "mail", "prune"}

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    env.assume_development()
    if not NEEDS_NO_SERVER.issuperset(sys.argv[1:2] or ["help"]):
        if ASKS_ABOUT_ONE.issuperset(sys.argv[1:2]) and not stack.knows_database():
            sys.exit("Which database? Name it by DATABASE_URL; this checkout has none yet (`make run` makes one).")
        stack.ensure()
    if sys.argv[1:2] == ["runserver"]:
        companions.begin(sys.argv)
    command_line.run(sys.argv)
