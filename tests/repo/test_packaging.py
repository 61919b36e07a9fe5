"""Every distribution builds, says what it is and needs, and works where nothing else is installed."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import re
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import denas_core

from .environments import PROJECTS, ROOT, build, denas, make_site, python
from .imports import imported_names

TOY = ROOT / "tests/toy"
CORE = "denas-core"

OLDEST = {
    name
    for name, folder in PROJECTS.items()
    if re.search(
        rf"^pip install -c constraints-oldest.txt .*-e '?{re.escape(folder.relative_to(ROOT).as_posix())}(\[|'| |$)",
        (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
}
"""Distributions that run with their oldest requirements: those of the command in CONTRIBUTING.md."""
NEWEST = PROJECTS.keys() - OLDEST
"""The others, whose lower bounds are the versions of continuous integration."""

Built = dict[str, Path]


@pytest.fixture(scope="session")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source archive of every distribution."""
    out = tmp_path_factory.mktemp("dist")
    for project in PROJECTS.values():
        build(project, out)
    return out


@pytest.fixture(scope="session")
def wheels(archives: Path) -> Built:
    return {name: only(archives, f"{name.replace('-', '_')}-*.whl") for name in PROJECTS}


@pytest.fixture(scope="session")
def core_site(wheels: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_site(tmp_path_factory.mktemp("core") / "site", [wheels[CORE]])


@pytest.fixture(scope="session")
def scores_site(wheels: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    chosen = [wheels[CORE], wheels["denas-scores"]]
    return make_site(tmp_path_factory.mktemp("scores") / "site", chosen)


@pytest.fixture(scope="session")
def cv_site(wheels: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    chosen = [wheels[CORE], wheels["denas-scores"], wheels["denas-cv"]]
    return make_site(tmp_path_factory.mktemp("cv") / "site", chosen)


def only(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found


def metadata_of(wheel: Path) -> importlib.metadata.PackageMetadata:
    (path,) = [path for path in zipfile.Path(wheel).iterdir() if path.name.endswith(".dist-info")]
    return importlib.metadata.PathDistribution(path).metadata  # type: ignore[arg-type]


def package_of(name: str) -> Path:
    return PROJECTS[name] / name.replace("-", "_")


def sources(name: str) -> set[str]:
    """Return the files of a distribution's package, as they are named in its archives."""
    package = package_of(name)
    files = (path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(package.parent).as_posix() for path in files}


@pytest.mark.parametrize("name", PROJECTS)
def test_a_wheel_holds_the_package_and_nothing_else(name: str, wheels: Built) -> None:
    with zipfile.ZipFile(wheels[name]) as archive:
        names = {entry for entry in archive.namelist() if not entry.endswith("/")}
        facts = {entry for entry in names if ".dist-info/" in entry}
        (licence,) = [entry for entry in facts if entry.endswith("/licenses/LICENSE")]
        assert archive.read(licence) == (ROOT / "LICENSE").read_bytes()
    assert names - facts == sources(name)
    assert f"{name.replace('-', '_')}/py.typed" in names
    assert not [entry for entry in names if re.search(r"(^|/)tests?/|\.(db|log|tmp)$", entry)]


@pytest.mark.parametrize("name", PROJECTS)
def test_a_wheel_says_what_it_is(name: str, wheels: Built) -> None:
    facts = metadata_of(wheels[name])
    assert (facts["Name"], facts["Version"]) == (name, denas_core.__version__)
    assert (facts["License-Expression"], facts["Requires-Python"]) == ("Apache-2.0", ">=3.11")
    assert len(facts["Summary"]) > 30 and facts["Keywords"]
    assert facts["Description-Content-Type"] == "text/markdown"
    assert f"# {name}" in str(facts.get_payload()) or name == CORE  # type: ignore[attr-defined]
    classifiers = facts.get_all("Classifier") or []
    assert {"Typing :: Typed", "Programming Language :: Python :: 3.11"} <= set(classifiers)
    assert not [text for text in classifiers if text.startswith("License")]


@pytest.mark.parametrize("name", PROJECTS)
def test_every_requirement_has_a_lower_bound_and_siblings_share_a_minor_version(
    name: str, wheels: Built
) -> None:
    major, minor, _ = denas_core.__version__.split(".")
    siblings = SpecifierSet(f">={major}.{minor},<{major}.{int(minor) + 1}")
    found = [Requirement(line) for line in metadata_of(wheels[name]).get_all("Requires-Dist") or []]
    for requirement in found:
        if requirement.name in PROJECTS:
            assert requirement.specifier == siblings, requirement
        else:
            assert [part.operator for part in requirement.specifier] == [">="], requirement
    assert name == CORE or CORE in [requirement.name for requirement in found]


@pytest.mark.parametrize("name", PROJECTS)
def test_a_source_archive_holds_no_more_than_it_takes_to_build_the_same_wheel(
    name: str, wheels: Built, archives: Path, tmp_path: Path
) -> None:
    stem = f"{name.replace('-', '_')}-{denas_core.__version__}"
    with tarfile.open(archives / f"{stem}.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    unpacked = tmp_path / stem
    top = {path.name for path in unpacked.iterdir()}
    own = {package_of(name).name, "README.md", "LICENSE", "pyproject.toml", "PKG-INFO", ".gitignore"}
    assert top - {"CHANGELOG.md"} == own
    build(unpacked, tmp_path / "again")
    rebuilt = only(tmp_path / "again", "*.whl")
    with zipfile.ZipFile(rebuilt) as one, zipfile.ZipFile(wheels[name]) as other:
        assert {info.filename: info.CRC for info in one.infolist()} == {
            info.filename: info.CRC for info in other.infolist()
        }


def pins(file: str) -> dict[str, str]:
    lines = [line for line in (ROOT / file).read_text(encoding="utf-8").splitlines() if "==" in line]
    return {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}


@pytest.mark.parametrize("name", sorted(NEWEST))
def test_a_distribution_without_older_versions_is_bounded_by_those_of_continuous_integration(
    name: str,
) -> None:
    pinned = pins("constraints.txt")
    facts = tomllib.loads((PROJECTS[name] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for requirement in map(Requirement, facts["dependencies"]):
        if requirement.name not in PROJECTS:
            (bound,) = requirement.specifier
            assert SpecifierSet(f"=={bound.version}.*").contains(pinned[requirement.name]), requirement


def test_the_oldest_constraints_are_the_lower_bounds() -> None:
    pinned = pins("constraints-oldest.txt")
    bounds: dict[str, str] = {}
    for name in OLDEST:
        project = PROJECTS[name]
        facts = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        lines = [*facts["dependencies"], *facts.get("optional-dependencies", {}).get("testing", [])]
        for requirement in map(Requirement, lines):
            if requirement.name not in PROJECTS:
                (bound,) = requirement.specifier
                assert bounds.setdefault(requirement.name, bound.version) == bound.version, requirement
    assert pinned.keys() == bounds.keys()
    for name, bound in bounds.items():
        assert SpecifierSet(f"=={bound}.*").contains(pinned[name]), f"{name}: {bound}, pinned {pinned[name]}"


@pytest.mark.parametrize("name", PROJECTS)
def test_a_distribution_imports_what_it_declares_and_nothing_else(name: str, wheels: Built) -> None:
    facts = metadata_of(wheels[name])
    declared = [Requirement(line) for line in facts.get_all("Requires-Dist") or []]
    always = {canonicalize_name(r.name) for r in declared if r.marker is None}
    optional = {canonicalize_name(r.name) for r in declared} | always
    provided = importlib.metadata.packages_distributions()
    for path in package_of(name).rglob("*.py"):
        # What an extra brings is imported where it is used, or in a folder that only its users import.
        is_of_extra = {"testing", "training"} & set(path.parts)
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for modules, allowed in (
            (third_party(tree), optional),
            (third_party(tree, at_import=True), optional if is_of_extra else always),
        ):
            for module in modules - {package_of(name).name}:
                owners = {canonicalize_name(owner) for owner in provided.get(module, [module])}
                assert owners & allowed, (
                    f"{path.relative_to(ROOT)} imports {module}; {name} does not declare it"
                )


def third_party(tree: ast.AST, *, at_import: bool = False) -> set[str]:
    names = (name.partition(".")[0] for name in imported_names(tree, "", at_import))
    # Relative imports begin with a dot, and so with nothing.
    return {name for name in names if name} - sys.stdlib_module_names


IMPORT_ALL = """
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
    # What the extras bring is not there.
    optional = module.name.startswith((f"{sys.argv[1]}.testing", f"{sys.argv[1]}.training"))
    if not optional and not module.name.endswith("__main__"):
        importlib.import_module(module.name)
        print(module.name)
"""


def test_every_module_of_the_core_imports_where_only_its_requirements_are(
    core_site: Path, tmp_path: Path
) -> None:
    done = python("-c", IMPORT_ALL, "denas_core", site=core_site, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    modules = {
        name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for name in sources(CORE)
        if name.endswith(".py")
        and not name.startswith(("denas_core/testing/", "denas_core/training/"))
        and not name.endswith("/__main__.py")
    }
    assert set(done.stdout.split()) == modules - {"denas_core"}


def test_the_core_alone_lists_helps_and_searches(core_site: Path, tmp_path: Path) -> None:
    for sibling in (name.replace("-", "_") for name in PROJECTS.keys() - {CORE}):
        done = python("-c", f"import {sibling}", site=core_site, cwd=tmp_path)
        assert f"No module named '{sibling}'" in done.stderr
    assert "Usage: denas" in denas("--help", site=core_site, cwd=tmp_path).stdout
    listed = json.loads(denas("plugins", "--json", site=core_site, cwd=tmp_path).stdout)
    assert [plugin["name"] for plugin in listed["plugins"]] == ["builtin"]
    done = denas(
        *("search", "toy/stairs", "--score", "toy/both", "-b", "20", "--device", "cpu", "-q", "-o", "run"),
        site=core_site,
        cwd=tmp_path,
        also=[TOY],
    )
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "run/result.json").read_text())["trials"]["scored"] == 20
    assert (tmp_path / "run/report.html").stat().st_size > 1000


def test_without_its_plugin_a_space_is_named_with_what_to_install(scores_site: Path, tmp_path: Path) -> None:
    done = denas("search", "cv/cnn", site=scores_site, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("install it with: pip install denas-cv\n")


def test_core_scores_and_one_plugin_search_a_real_space(cv_site: Path, tmp_path: Path) -> None:
    done = denas(
        *("search", "cv/cnn", "-c", "params<=200k", "-b", "3", "--set", "score.batch_size=4"),
        *("--device", "cpu", "-q", "-o", "run", "--json"),
        site=cv_site,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["trials"]["scored"] == 3
