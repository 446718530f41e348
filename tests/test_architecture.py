"""What each part may load, in a fresh interpreter, and through which one door each library comes.

The import contracts of pyproject.toml (``make check``) read the source; these tests run it, and so
also see what a package's ``__init__`` or a library drags in.
"""

import ast
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("devices", "zones", "alerts", "navigate_safer")
PURE = ("devices", "zones", "alerts", "navigate_safer/people", "navigate_safer/outcomes")
FRAMEWORKS = {"flask", "sqlalchemy", "alembic", "apscheduler"}
# Who may import what; a name that ends in a dot stands for everything under it.
DOORS = {
    "paho": {
        "devices.mqtt",
        "devices.mqtt_publish",
        "devices.mqtt_socket",
        "navigate_safer.demo.gateways",
        "navigate_safer.demo.publisher",
    },
    "twilio": {
        "alerts.senders.twilio_client",
        "alerts.senders.twilio_sms",
        "alerts.senders.twilio_voice",
        "alerts.senders.twilio_errors",
        "alerts.senders.twilio_webhook",
    },
    "notifications_python_client": {"alerts.senders.notify_sms"},
    "apscheduler": {"navigate_safer.workers.schedule"},
    "flask": {"navigate_safer.web.", "navigate_safer.workers.serve"},
    "flask_wtf": {"navigate_safer.web."},
    "gunicorn": {"navigate_safer.workers.serve"},
    "amqtt": {"navigate_safer.demo.broker"},
    "sqlalchemy": {"navigate_safer.db.", "navigate_safer.services.", "navigate_safer.wiring"},
    "duckdb": {"navigate_safer.db.parquet"},
    "alembic": {"navigate_safer.db.schema"},
    "prometheus_client": {"navigate_safer.metrics"},
    "pyproj": {"zones.geometry"},
    "rapidfuzz": {"navigate_safer.people.linkage"},
    "scipy": {"navigate_safer.outcomes."},
}


def name_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def source_files(*folders):
    return sorted(
        path
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if "node_modules" not in path.parts
    )


SOURCES = source_files(*PACKAGES)
PURE_MODULES = [name_of(path) for path in source_files(*PURE)]
TREES = {name_of(path): ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}


def loaded_by(module):
    """The top-level packages that a fresh interpreter holds after importing one module."""
    script = f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, f"{module} cannot be imported alone:\n{ran.stderr}"
    return set(ran.stdout.split())


@pytest.fixture(scope="module")
def loaded():
    with ThreadPoolExecutor(max_workers=4) as pool:
        return dict(zip(PURE_MODULES, pool.map(loaded_by, PURE_MODULES), strict=True))


def test_the_pure_core_is_what_it_is_thought_to_be():
    assert {"devices.codec", "zones.zone", "alerts.judge", "navigate_safer.people.access"} <= set(
        PURE_MODULES
    )


@pytest.mark.parametrize("module", PURE_MODULES)
def test_a_pure_module_loads_no_framework(loaded, module):
    assert not loaded[module] & FRAMEWORKS


@pytest.mark.parametrize("module", PURE_MODULES)
def test_a_pure_module_loads_no_provider_and_no_broker_unless_it_is_their_door(loaded, module):
    for library in ("paho", "twilio"):
        assert (library in loaded[module]) == (module in DOORS[library]), library


@pytest.mark.parametrize("module", PURE_MODULES)
def test_a_pure_module_loads_nothing_downstream(loaded, module):
    stage = module.partition(".")[0]
    downstream = set(PACKAGES[PACKAGES.index(stage) + 1 :])
    assert not loaded[module] & downstream


def imports(tree):
    """The modules that a file imports, wherever in it the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module or ""


def allowed(module, doors):
    return any(
        module == door or (door.endswith(".") and f"{module}.".startswith(door)) for door in doors
    )


@pytest.mark.parametrize("library", sorted(DOORS))
def test_a_library_comes_in_through_its_own_door(library):
    importers = {
        module
        for module, tree in TREES.items()
        if any(each == library or each.startswith(f"{library}.") for each in imports(tree))
    }
    assert importers, f"nothing imports {library}: is the door still needed?"
    strangers = sorted(each for each in importers if not allowed(each, DOORS[library]))
    assert strangers == []


def test_no_module_is_a_drawer_for_everything():
    drawers = {"util", "utils", "helper", "helpers", "common", "misc"}
    assert [module for module in TREES if drawers & set(module.split("."))] == []


CLOCKS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
    ("time", "monotonic"),
    ("time", "sleep"),
}


@pytest.mark.parametrize("module", PURE_MODULES)
def test_the_pure_core_is_told_the_time(module):
    asked = [
        (node.func.value.id, node.func.attr)
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and (node.func.value.id, node.func.attr) in CLOCKS
    ]
    assert asked == []


@pytest.mark.parametrize("package", ["devices", "zones", "alerts", "navigate_safer"])
def test_importing_a_package_runs_nothing(package):
    only = TREES[package].body
    rest = only[1:]
    assert isinstance(only[0], ast.Expr), "a package says what it is"
    assert all(isinstance(node, ast.Assign) for node in rest), "and does nothing else"


def test_tests_are_no_packages():
    # With a package in it, tests/zones would hide the package zones.
    assert list((ROOT / "tests").rglob("__init__.py")) == []
