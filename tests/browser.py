"""Headless Chromium as the tests drive it: over a pipe, in its own protocol, with no driver.

Protocol: https://chromedevtools.github.io/devtools-protocol/, messages as JSON that end in NUL.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

_PATIENCE_S = 60.0


def chromium() -> str:
    """Return the browser's program, or skip with the reason."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium is installed: `apt-get install chromium`")
    return browser


def arguments(profile: Path) -> list[str]:
    """Return how the browser is started, whatever it is to show."""
    return [
        chromium(),
        "--headless",
        # Containers run tests as root, where Chromium's sandbox does not start.
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={profile}",
    ]


class Page:
    """One tab, with what its console said of errors in `told`."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands = commands
        self._answers = answers
        self._received = b""
        self._number = 0
        self._session: str | None = None
        self.told: list[str] = []
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self._ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self._ask(f"{domain}.enable")

    def size(self, width: int, height: int) -> None:
        """Set the window's inner size in CSS pixels."""
        self._ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def open(self, address: str) -> None:
        """Go to an address; it may still be loading when this returns."""
        self._ask("Page.navigate", url=address)

    def value(self, expression: str) -> Any:  # noqa: ANN401  # whatever the page answers
        """Return the value of a JavaScript expression."""
        answer = self._ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait_for(self, expression: str) -> Any:  # noqa: ANN401  # whatever the page answers
        """Return the value of an expression as soon as it is true."""
        deadline = time.monotonic() + _PATIENCE_S
        while not (value := self.value(expression)):
            shown = self.value("document.body?.innerText")
            assert time.monotonic() < deadline, f"never true: {expression}; the page: {shown}"
            time.sleep(0.1)
        return value

    def picture(self, file: Path) -> None:
        """Write a screenshot."""
        file.write_bytes(base64.b64decode(self._ask("Page.captureScreenshot")["data"]))

    def _ask(self, method: str, **params: object) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + _PATIENCE_S
        while (answer := self._next(deadline)).get("id") != self._number:
            self._note(answer)
        assert "error" not in answer, (method, answer)
        return dict(answer["result"])

    def _next(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._received:
            ready, _, _ = select.select([self._answers], [], [], deadline - time.monotonic())
            assert ready, "the browser does not answer"
            some = os.read(self._answers, 1 << 20)
            assert some, "the browser has ended"
            self._received += some
        line, _, self._received = self._received.partition(b"\0")
        return dict(json.loads(line))

    def _note(self, event: dict[str, Any]) -> None:
        match event.get("method"), event.get("params"):
            case "Log.entryAdded", {"entry": {"level": "error", "text": text, **more}}:
                self.told.append(f"{text} {more.get('url', '')}".strip())
            case "Runtime.exceptionThrown", {"exceptionDetails": details}:
                self.told.append(str(details.get("exception", details)))
            case "Runtime.consoleAPICalled", {"type": "error", "args": args}:
                self.told.append(" ".join(str(arg.get("value", "")) for arg in args))


@contextmanager
def open_page(folder: Path) -> Iterator[Page]:
    """Start a browser with an empty profile in a folder; it ends with the block."""
    (ours, commands), (answers, theirs) = os.pipe(), os.pipe()
    # The browser reads at descriptor 3 and writes at 4; dash knows none above 9.
    shell = ["bash", "-c", f'exec 3<&{ours} 4>&{theirs} && exec "$@"', "bash"]
    options = [*arguments(folder / "profile"), "--remote-debugging-pipe"]
    with (folder / "browser.log").open("wb") as log:
        browser = subprocess.Popen(
            [*shell, *options],
            pass_fds=(ours, theirs),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    os.close(ours)
    os.close(theirs)
    try:
        yield Page(commands, answers)
    finally:
        os.close(commands)  # at the end of its commands the browser ends itself
        os.close(answers)
        try:
            browser.wait(timeout=20)
        except subprocess.TimeoutExpired:
            browser.kill()
            browser.wait()
