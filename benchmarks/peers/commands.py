"""How the peers are served: each as those who use it do, on a loopback port."""

import sys


def gunicorn(application: str, port: int, workers: int) -> list[str]:
    """Sync workers, the default."""
    words = ["gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", str(workers)]
    return [sys.executable, "-m", *words, "--no-control-socket", "--log-level", "warning", application]


def granian(application: str, port: int, workers: int) -> list[str]:
    words = ["granian", "--interface", "asgi", "--loop", "uvloop", "--host", "127.0.0.1", "--port", str(port)]
    return [sys.executable, "-m", *words, "--workers", str(workers), "--no-ws", "--log-level", "warning", application]


def granian_rsgi(application: str, port: int, workers: int) -> list[str]:
    """As we serve ourselves (`manage.py serve`)."""
    words = ["granian", "--interface", "rsgi", "--host", "127.0.0.1", "--port", str(port), "--workers", str(workers)]
    words += ["--loop", "asyncio", "--runtime-mode", "st", "--http", "1"]
    return [sys.executable, "-m", *words, "--backpressure", "256", "--no-ws", "--log-level", "warning", application]


def uvicorn(application: str, port: int, workers: int) -> list[str]:
    """With its access log, which is on unless somebody switches it off; ours has a line for each request too."""
    words = ["uvicorn", "--host", "127.0.0.1", "--port", str(port), "--loop", "uvloop", "--http", "httptools"]
    return [sys.executable, "-m", *words, "--workers", str(workers), application]
