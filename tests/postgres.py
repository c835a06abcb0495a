"""A PostgreSQL server of the tests' own, started from the machine's binaries."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

# It refuses to run as root; Debian's package brings this account.
ACCOUNT = "postgres"


def binaries() -> Path | None:
    """Return the folder of `initdb` and `pg_ctl`; None where PostgreSQL is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if found:
        return found[-1].parent
    return Path(on_path).parent if on_path else None


@contextmanager
def server(database: str = "trials", *, password: str | None = None) -> Iterator[str]:
    """Start a server; yield the URL of an empty database, and stop and remove it in the end.

    Parameters
    ----------
    password
        Of the account `hnmets`, and not in the URL; None lets everybody in.
    """
    programs = binaries()
    assert programs is not None
    as_root = os.geteuid() == 0
    # Not below pytest's folders: nobody but their owner may pass through them.
    with TemporaryDirectory(prefix="hnmets-postgres-") as folder:
        if as_root:
            shutil.chown(folder, ACCOUNT, ACCOUNT)
        how = ["-A", "trust"]
        if password is not None:
            secret = Path(folder, "password")
            secret.write_text(password)
            secret.chmod(0o644)  # inside of a folder that only the account enters
            how = ["-A", "scram-sha-256", f"--pwfile={secret}"]

        def run(program: str, *arguments: str) -> None:
            account = ["runuser", "-u", ACCOUNT, "--"] if as_root else []
            command = [*account, str(programs / program), *arguments]
            # The server inherits the output, and would keep it open.
            environment = {**os.environ, "PGPASSWORD": password or ""}
            subprocess.run(
                command, check=True, stdout=subprocess.DEVNULL, cwd="/", env=environment
            )

        port, data = _free_port(), f"{folder}/data"
        settings = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
        run("initdb", "-D", data, *how, "-U", "hnmets", "-E", "UTF8")
        run("pg_ctl", "-D", data, "-o", settings, "-l", f"{folder}/log", "-w", "start")
        try:
            run("createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "hnmets", database)
            yield f"postgresql://hnmets@127.0.0.1:{port}/{database}"
        finally:
            run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
