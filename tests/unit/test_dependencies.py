"""What is imported is declared: a package that comes along with another one may stop doing so at any release."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
SHIPPED = ("domain", "application", "adapters", "projections")
OURS = {*SHIPPED, "tests", "benchmarks", "hatch_build"}


def imported(folders: Iterable[str]) -> Iterator[str]:
    """The top-level packages of others that the code below these folders imports."""
    for folder in folders:
        for path in (PROJECT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_bytes())):
                names: list[str] = []
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    names = [node.module]
                yield from (name.partition(".")[0] for name in names)


def declared(*extras: str) -> set[str]:
    """The distributions that the project names, normalised as PEP 503 says."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    requirements = [*project["dependencies"]]
    for extra in extras:
        requirements += project["optional-dependencies"][extra]
    return {_normalised(re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0]) for requirement in requirements}


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize(("folders", "extras"), [(SHIPPED, ()), (("tests", "benchmarks"), ("dev",))])
def test_every_package_that_is_imported_is_declared(folders: tuple[str, ...], extras: tuple[str, ...]) -> None:
    """The service needs no extra; tests and benchmarks need `dev`."""
    providers = packages_distributions()
    theirs = set(imported(folders)) - OURS - sys.stdlib_module_names
    assert {"asyncpg", "pydantic"} <= theirs
    missing = {name for name in theirs if not {_normalised(one) for one in providers.get(name, ())} & declared(*extras)}
    assert missing == set()


def test_nothing_is_installed_but_what_is_pinned_by_its_hash() -> None:
    """The installer itself among it; our own code comes from the folder, without anybody else's."""
    installs = [line for line in (PROJECT / "Makefile").read_text().splitlines() if "pip install" in line]
    assert len(installs) == 4
    for line in installs:
        assert "--require-hashes --requirement requirements/" in line or "--no-deps" in line, line
    assert re.fullmatch(
        r"uv==[0-9.]+( \\\n    --hash=sha256:[0-9a-f]{64})+\n", (PROJECT / "requirements/installer.txt").read_text()
    )
