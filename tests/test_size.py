"""A module and a function are short enough to be read at once."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULE_LINES, FUNCTION_LINES = 300, 40
FILES = sorted(
    path
    for package in ("devices", "zones", "alerts", "navigate_safer")
    for path in (ROOT / package).rglob("*.py")
    if "node_modules" not in path.parts
)


def functions(text):
    """Name and length of every function, from its def to its last line."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.end_lineno - node.lineno + 1


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_and_functions_are_short(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MODULE_LINES, "split the module by subject"
    too_long = {name: lines for name, lines in functions(text) if lines > FUNCTION_LINES}
    assert too_long == {}, f"functions over {FUNCTION_LINES} lines"


def test_the_measure_measures():
    text = (
        "def short():\n    return 1\n\n\nclass Much:\n    async def long(self):\n"
        + 40 * "        x = 1\n"
    )
    assert dict(functions(text)) == {"short": 2, "long": 41}
    assert len(FILES) > 80
