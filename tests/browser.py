"""A real browser for tests: the Chromium of the npm package in tools/browser, or one that is installed.

The package carries the browser, and in `al2023.tar.br` the libraries that a bare machine has not.
"""

import fcntl
import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import brotli
import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from config.env import ROOT

MODULES = ROOT / "tools/browser/node_modules"
PACKED = MODULES / "@sparticuz/chromium/bin"
UNPACKED = MODULES / ".chromium"
AXE = MODULES / "axe-core/axe.min.js"
INSTALLED = ("chromium", "chromium-browser", "google-chrome")
NONE = "NOT PROVED: there is no browser, and no npm to install one; the pages were not opened in a real browser"
#: Without a font Chromium ends at the first field of a form; the file in the package names places of its own.
FONTS = (
    "<fontconfig><dir>/usr/share/fonts</dir><dir>{folder}/fonts</dir><cachedir>{folder}/cache</cachedir></fontconfig>"
)
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")


def executable() -> tuple[str, dict[str, str]]:
    """Where Chromium is, and the environment that it needs. Skips the test where there is none."""
    if not shutil.which("npm") and not PACKED.exists():
        pytest.skip(NONE)
    with installing():
        if not PACKED.exists():
            subprocess.run(["make", "tools/browser/node_modules/.installed"], cwd=ROOT, check=True)
        if not UNPACKED.exists():
            unpack()
    for name in INSTALLED:
        if found := shutil.which(name):
            return found, {}
    return str(UNPACKED / "chromium"), {
        "LD_LIBRARY_PATH": str(UNPACKED / "lib"),
        "FONTCONFIG_PATH": str(UNPACKED),
        "HOME": str(UNPACKED),
    }


@contextmanager
def installing() -> Iterator[None]:
    """One process at a time: many may start their tests at once."""
    with (ROOT / "tools/browser/package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def unpack() -> None:
    fresh = UNPACKED.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    for name in ("al2023", "fonts", "swiftshader"):
        packed = io.BytesIO(brotli.decompress((PACKED / f"{name}.tar.br").read_bytes()))
        with tarfile.open(fileobj=packed) as archive:
            archive.extractall(fresh, filter="data")
    (fresh / "fonts.conf").write_text(FONTS.format(folder=UNPACKED))
    browser = fresh / "chromium"
    browser.write_bytes(brotli.decompress((PACKED / "chromium.br").read_bytes()))
    browser.chmod(0o755)
    fresh.rename(UNPACKED)


@contextmanager
def driver() -> Iterator[Playwright]:
    """One for all browsers of a process. It keeps an event loop, which Django takes for a sign of asynchronous code."""
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield playwright


@contextmanager
def chromium(playwright: Playwright, *arguments: str) -> Iterator[Browser]:
    path, environment = executable()
    browser = playwright.chromium.launch(
        executable_path=path, args=[*ARGUMENTS, *arguments], env={**os.environ, **environment}
    )
    yield browser
    browser.close()


#: The rules of WCAG 2.2 AA, and of those the ones that another colour scheme may break.
EVERYTHING = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
COLOURS = ("color-contrast", "link-in-text-block")


def barriers(page: Page, rules: Sequence[str] = EVERYTHING) -> list[str]:
    """What axe finds on a page: a line for each element."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(AXE.read_text())
    found: Mapping[str, Any] = page.evaluate("rules => axe.run({runOnly: rules})", [*rules])
    return [
        f"{each['id']}: {node['html'][:120]} {node['failureSummary'].splitlines()[-1]}"
        for each in found["violations"]
        for node in each["nodes"]
    ]


def picture(page: Page, folder: Path, name: str) -> None:
    page.screenshot(path=folder / f"{name}.png", full_page=True)
