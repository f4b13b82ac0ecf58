"""Run the demo once to its end in a scratch folder, then the browser tests against the server that it leaves up.

The demo writes the file of `--logins` once its last table is on screen: that is the sign that it is through.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cupola.platform.pg.cluster import Cluster

ROOT = Path(__file__).resolve().parents[1]
DEMO_TIMEOUT_S = 600
BROWSER_TIMEOUT_S = 900
STOP_TIMEOUT_S = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_its_end(demo: subprocess.Popen[bytes], logins: Path) -> str:
    """Wait until the demo is through; returns what went wrong, empty when nothing did."""
    end_s = time.monotonic() + DEMO_TIMEOUT_S
    while not logins.exists():
        if demo.poll() is not None:
            return f"the demo ended with code {demo.returncode} before it was through"
        if time.monotonic() > end_s:
            return f"the demo was not through after {DEMO_TIMEOUT_S} s"
        time.sleep(0.2)
    return ""


def browser_tests(logins: Path) -> str:
    npm = shutil.which("npm")
    if npm is None:
        return "there is no npm to run the browser tests with"
    done = subprocess.run(
        [npm, "run", "--silent", "e2e"],
        cwd=ROOT / "web",
        env=os.environ | {"CUPOLA_E2E_LOGINS": str(logins), "NO_COLOR": "1"},
        timeout=BROWSER_TIMEOUT_S,
        check=False,
    )
    return f"the browser tests ended with code {done.returncode}" if done.returncode else ""


def stop(demo: subprocess.Popen[bytes]) -> str:
    """End the demo as a person does, by Ctrl+C; returns what went wrong, also what the demo itself found wrong."""
    demo.send_signal(signal.SIGINT)
    try:
        code = demo.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        os.killpg(demo.pid, signal.SIGKILL)
        demo.wait()
        return f"the demo's server did not end within {STOP_TIMEOUT_S} s of being asked to"
    return f"the demo ended with code {code}: its ledger or its certificate does not hold" if code else ""


def main() -> int:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # were it ignored here, the demo would never see it
    scratch = Path(tempfile.mkdtemp(prefix="cupola-demo-"))
    scratch.chmod(0o755)  # the account that runs Postgres must be able to pass
    data, logins = scratch / "data", scratch / "logins.json"
    began_s = time.monotonic()
    program = str(Path(sys.executable).with_name("cupola"))
    demo = subprocess.Popen(
        [program, "demo", "--data", str(data), "--port", str(free_port()), "--logins", str(logins)],
        stdin=subprocess.DEVNULL,
        env=os.environ | {"CUPOLA_ALLOWED_HOSTS": "127.0.0.1"},  # where the tests serve what stays elsewhere
        start_new_session=True,
    )
    try:
        wrong = wait_for_its_end(demo, logins)
        took_s = time.monotonic() - began_s
        if not wrong:
            print(f"The demo took {took_s:.0f} s.", flush=True)
            wrong = browser_tests(logins)
        if demo.poll() is None:
            wrong = stop(demo) or wrong
    finally:
        if demo.poll() is None:
            os.killpg(demo.pid, signal.SIGKILL)
            demo.wait()
        if data.is_dir():
            Cluster.stop(data, force=True)
            Cluster.destroy(data)
        shutil.rmtree(scratch, ignore_errors=True)
    print(f"Failed: {wrong}." if wrong else "The demo and the browser tests passed.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
