#!/usr/bin/env python
"""The command line of a developer: with nothing set it works on this machine, with servers of its own."""

import os
import sys

from django.core.management import execute_from_command_line

from config import env
from laptop import stack

NEEDS_NO_SERVER = {"help", "-h", "--help", "version", "--version"}

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    env.assume_development()
    if not NEEDS_NO_SERVER.issuperset(sys.argv[1:2] or ["help"]):
        stack.ensure()
    execute_from_command_line(sys.argv)
