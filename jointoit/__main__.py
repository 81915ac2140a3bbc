"""The command line of a deployment: `python -m jointoit COMMAND`. Nothing is assumed, nothing is started besides."""

import os
import sys

from jointoit.api import command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    command_line.run(sys.argv)
