"""Public docstrings, read from the syntax trees: arguments, returns and errors stand in Google's sections."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import sentinel
from sentinel import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(sentinel.__file__).parent
SECTION = re.compile(r"^(Args|Returns|Yields|Raises|Attributes):$", re.MULTILINE)


class Documented(NamedTuple):
    """A public class, function or method with its docstring."""

    name: str
    node: ast.ClassDef | ast.FunctionDef
    doc: str

    def section(self, title: str) -> dict[str, str]:
        """The entries of one section, by name."""
        after = re.split(rf"^{title}:$", self.doc, flags=re.MULTILINE)
        if len(after) < 2:
            return {}
        return dict(re.findall(r"^ {4}\*{0,2}(\w+): (.*)$", SECTION.split(after[1])[0], re.MULTILINE))

    def parameters(self) -> set[str]:
        """Of the function, or of the class's constructor."""
        node: ast.ClassDef | ast.FunctionDef | None = self.node
        if isinstance(node, ast.ClassDef):
            named = (item for item in node.body if isinstance(item, ast.FunctionDef) and item.name == "__init__")
            node = next(named, None)
        if node is None:
            return set()
        a = node.args
        every = [*a.posonlyargs, *a.args, *a.kwonlyargs, *(item for item in (a.vararg, a.kwarg) if item)]
        return {item.arg for item in every} - {"self", "cls"}

    def raised(self) -> set[str]:
        """Names of what is called to raise, in the body."""
        return {
            item.exc.func.id
            for item in ast.walk(self.node)
            if isinstance(item, ast.Raise) and isinstance(item.exc, ast.Call) and isinstance(item.exc.func, ast.Name)
        }


@cache
def documented() -> list[Documented]:
    """Every public class, function and method that has a docstring."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(ROOT.rglob("*.py"))}
    return [item for path, tree in trees.items() for item in _within(tree, str(path.relative_to(ROOT)))]


def _within(parent: ast.AST, where: str) -> Iterator[Documented]:
    for node in ast.iter_child_nodes(parent):
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            name = f"{where}:{node.name}"
            if doc := ast.get_docstring(node):
                yield Documented(name, node, doc)
            if isinstance(node, ast.ClassDef):
                yield from _within(node, name)


def test_there_is_something_to_read() -> None:
    """Docstrings are found, sections among them."""
    every = documented()
    assert len(every) > 300
    assert sum(bool(item.section("Raises")) for item in every) > 50


def test_errors_stand_in_a_section() -> None:
    """No docstring tells in running text what is raised."""
    assert [] == [item.name for item in documented() if re.search(r"\bRaises [A-Z]|\bRaises as\b", item.doc)]


def test_an_error_of_ours_that_is_raised_is_named() -> None:
    """A public function whose body raises one of our errors has it in its section `Raises`."""
    ours = {name for name in vars(errors) if name.endswith("Error")}
    functions = [item for item in documented() if isinstance(item.node, ast.FunctionDef)]
    lacking = {item.name: (item.raised() & ours) - item.section("Raises").keys() for item in functions}
    assert {} == {name: names for name, names in lacking.items() if names}


def test_arguments_are_those_of_the_function() -> None:
    """A section `Args` has every parameter and no other name; a class's has those of its constructor."""
    told = {
        item.name: (item.section("Args").keys(), item.parameters()) for item in documented() if item.section("Args")
    }
    assert {} == {name: names ^ parameters for name, (names, parameters) in told.items() if names != parameters}
