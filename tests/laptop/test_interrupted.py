import signal
import subprocess
import sys
from pathlib import Path

from config.env import ROOT

RECIPE = """
import asyncio, signal
from laptop import interrupted
async def main():
    asked = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, asked.set)
    watch = asyncio.create_task(interrupted.obey())
    await asyncio.sleep(0.1)  # it has looked
    print("runs", flush=True)
    await asyncio.wait_for(asked.wait(), timeout=20)
    print("stopped in order", flush=True)
asyncio.run(main())
"""


def test_an_interrupt_of_make_alone_reaches_its_recipe(tmp_path: Path) -> None:
    (tmp_path / "recipe.py").write_text(RECIPE)
    (tmp_path / "Makefile").write_text(f"run:\n\t@cd {ROOT} && exec {sys.executable} {tmp_path}/recipe.py\n")
    made = subprocess.Popen(
        ["make", "-s", "-C", tmp_path, "run"], env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True,
    )  # fmt: skip
    assert made.stdout
    assert made.stdout.readline() == "runs\n"

    made.send_signal(signal.SIGINT)
    assert made.communicate(timeout=30)[0] == "stopped in order\n"
