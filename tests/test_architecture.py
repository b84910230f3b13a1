"""Arrows between rooms point one way, and nothing happens on import."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest

SRC: Final = Path(__file__).parents[1] / "src"
PACKAGE: Final = "formwarden"

# As the design lists them: what stands left of an arrow may import what stands right of it, and all beyond.
ARROWS: Final = """
signals → facts, scoring → submission · tokens, address → clock · page → tokens, submission
· judge → facts, signals, scoring, tokens, address, ports · mail → scoring, address, ports · desk → judge, mail, ports
· work → mail, desk, ports · warden → judge, page, mail, desk, work, stores · web, console, doctor → warden
· cli → warden, doctor, demo, testing · testing → web
"""
# Smaller modules of the core, each placed beside the one it was cut from.
OWN_ARROWS: Final = """
facts, scoring, address → report
· challenge → facts
· scoring, forms, standing, judge, record, answers → challenge
· scoring → facts
· tokens → facts
· facts → clock
· bodies → multipart_parts → parsed → submission
· proxies, forwarding → submission
· clients → proxies, forwarding
· json_bodies → bodies, json_values
· desk, console, web → json_bodies
· submission → environ, multipart, json_values
· warden, web → spool → allowance
· subjects, retraction → ports
· ports → submission
· standing → facts, scoring
· forms → facts, scoring, submission
· page → forms, facts, subjects
· reading → page, facts, forms, tokens, address, clients, subjects, prints
· record → reading, retraction, page
· judge → reading, record, page, forms, standing, asked, outside
· outside → reading, blocklists, vouchers
· reading → vouchers → facts, ports, submission
· blocklists → facts, address
· settings → blocklists
· kept_files → bodies
· reading, record, answers → kept_files
· asked → kept_files, reading, ports
· desk → asked
· course → judge
· answers → page
· mail → forms, subjects, tokens
· settings of a room → ports
· subjects → carriers → proxies
· desk → course, bodies, retraction
· stores → ports, clock
· warden → course, answers, bodies, subjects, twin
· web → bodies, clients, desk, answers
· catalogue → sources, scoring
· settings → catalogue
· cli → settings, catalogue, root
· testing → address, demo
"""
# Modules that are a node of their own, though they lie in a room.
NODES: Final[Mapping[str, str]] = {
    "stores.ports": "ports",
    "stores.breaking": "ports",  # the arithmetic of a breaker, which every store reads alike
    "stores.ahead": "ports",  # how far ahead of now a stored time may lie
    "stores.breakers": "ports",  # how a breaker stands, and what a store reads and writes of it
    "stores.outcomes": "ports",  # the kinds of outcome, which every store reads alike
    "stores.runs": "ports",  # who does a periodic task, and how it went
    "stores.telling": "ports",  # what the staff is told of many inquiries at once
    "stores.statistics": "ports",  # what a store can be asked about itself
    "stores.journal_file": "ports",
    "stores.journal_index": "ports",
    "stores.journal_lines": "ports",
    "stores.archive": "ports",  # everything durable as values, and the port that moves it
    "stores.journal": "ports",  # what takes inquiries when no store does
    "address.report": "report",
    "address.messages": "report",  # the sentence that a report shows a visitor
    "mail.staff_settings": "settings of a room",
    "mail.autoreply": "forms",  # what a site says of its form
    "mail.wording": "forms",
    "mail.letter": "forms",
    "mail.names": "forms",
    "mail.canaries": "forms",
    "mail.dkim_settings": "settings of a room",  # a group of its own, read in that room
    "mail.breaker_settings": "settings of a room",  # the part of mail's that the arithmetic of breakers reads
    "mail.relay_settings": "settings of a room",  # the part of mail's that the relay reads
    "mail.alarm_settings": "settings of a room",  # a group of its own, read in that room
    "signals.limits": "settings of a room",  # stored with each verdict, so facts hold it
    "__main__": "cli",
    "parts": "warden",  # what the facade is made of
    "judging_parts": "warden",
    "mailing_parts": "warden",
    "sync": "warden",  # its blocking twin
    "stopping": "warden",  # the page behind the link in its mails
    "serving": "warden",  # its pages, for frameworks without its middleware
    "upkeep": "warden",  # where its periodic work runs
    "": "root",
}
EVERYWHERE: Final = frozenset(
    {"errors", "clock", "entropy", "faults", "forks", "groups", "site", "data", "settings of a room"}
)
SETTINGS_MODULES: Final = frozenset({"settings", "catalogue", "sources"})
VAGUE: Final = re.compile(r"utils?|helpers?|common|managers?|misc")
HEAVY: Final = (
    "aiosmtplib",
    "apsw",
    "django",
    "dkim",
    "dns",
    "fastapi",
    "flask",
    "jinja2",
    "psycopg",
    "publicsuffixlist",
    "redis",
    "uvicorn",
)
BY_THEIR_OWN_PATH: Final = frozenset({"console"})  # public too: what needs an extra would break the root
OWN_TIME_AND_CHANCE: Final[Mapping[str, str]] = {
    "clock": "is the port",
    "entropy": "is the port",
    "demo.stage": "makes a key and a password, as the owner of a site does; it is no part of the guard",
}
UNCOUNTED: Final[Mapping[str, str]] = {
    "scoring.weigh": "hands the failed signals to the judge, which counts them",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One import of ours. `early`: it happens while the module is loaded, not in a function or for types only."""

    module: str
    early: bool


@cache
def trees() -> Mapping[str, ast.Module]:
    """Return every module of the package, parsed, by its name without the package's."""
    found = {}
    for path in sorted((SRC / PACKAGE).rglob("*.py")):
        parts = path.relative_to(SRC / PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return found


@cache
def imports(module: str) -> tuple[Import, ...]:
    """Return what a module imports of ours; an import from a package names the module in it where there is one."""
    tree = trees()[module]
    late = set[ast.AST]()
    for node in ast.walk(tree):
        types_only = isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        if types_only or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            late.update(ast.walk(node))
    return tuple(Import(module=name, early=node not in late) for node in ast.walk(tree) for name in _named(node))


def _named(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        ours = (alias.name for alias in node.names)
        yield from (_inner(name) for name in ours if name.partition(".")[0] == PACKAGE)
    elif isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == PACKAGE:
        for alias in node.names:
            deeper = _inner(f"{node.module}.{alias.name}")
            yield deeper if deeper in trees() else _inner(node.module)


def _inner(name: str) -> str:
    return name.removeprefix(PACKAGE).removeprefix(".")


def node_of(module: str) -> str:
    """Return the room, or the core module, that a module counts as."""
    if module in NODES:
        return NODES[module]
    room, _, rest = module.partition(".")
    return "settings of a room" if rest == "settings" else room


def arrows(text: str) -> Iterator[tuple[str, str]]:
    """Read `a, b → c → d · …`."""
    for chain in text.split("·"):
        steps = [[name.strip() for name in step.split(",")] for step in chain.split("→")]
        for left, right in pairwise(steps):
            yield from ((one, other) for one in left for other in right)


def reachable() -> Mapping[str, frozenset[str]]:
    """Return what each node may import: what its arrows lead to, however far."""
    direct: dict[str, set[str]] = {}
    for one, other in (*arrows(ARROWS), *arrows(OWN_ARROWS)):
        direct.setdefault(one, set()).add(other)
        direct.setdefault(other, set())
    reach: dict[str, frozenset[str]] = {}
    for name in TopologicalSorter(direct).static_order():  # raises CycleError
        reach[name] = frozenset(direct[name]).union(*(reach[other] for other in direct[name]))
    return reach


def test_the_arrows_themselves_make_no_circle() -> None:
    assert "submission" in reachable()["warden"]
    with pytest.raises(CycleError):
        tuple(TopologicalSorter({"a": {"b"}, "b": {"a"}}).static_order())


def test_rooms_import_only_along_the_arrows() -> None:
    reach = reachable()
    wrong = []
    for module in trees():
        here = node_of(module)
        if module in {"", "settings", "catalogue"} or here == "demo":  # each has a test of its own
            continue
        for each in imports(module):
            there = node_of(each.module)
            if there != here and there not in EVERYWHERE | {"settings"} and there not in reach.get(here, ()):
                wrong.append(f"{module} → {each.module}")
    assert wrong == []


def test_settings_import_rooms_for_their_groups_only() -> None:
    # two read the setting they are named after, one knows whether its list is installed
    readers = {"blocklists", "proxies", "address.disposable"}
    groups = {"scoring", "site", "groups", "errors", *readers, *SETTINGS_MODULES}
    for module in SETTINGS_MODULES:
        for each in imports(module):
            assert each.module in groups or node_of(each.module) == "settings of a room", (module, each.module)


def test_a_rooms_settings_are_read_in_that_room_and_by_settings() -> None:
    readers = {"catalogue", "settings", "facts", "reading", "judge", "warden", "work", "cli", "web", ""}
    for module in trees():
        for each in imports(module):
            if node_of(each.module) == "settings of a room":
                room = each.module.partition(".")[0]
                assert module.partition(".")[0] in {room, *readers}, (module, each.module)


def test_only_the_demo_and_the_command_look_at_the_root() -> None:
    upwards = {node_of(module) for module in trees() if any(not each.module for each in imports(module))}
    assert upwards <= {"demo", "cli"}


def test_the_demo_imports_only_what_formwarden_exports() -> None:
    wrong = [
        f"{module} → {each.module}"
        for module in trees()
        if node_of(module) == "demo"
        for each in imports(module)
        if each.module and node_of(each.module) != "demo" and each.module not in BY_THEIR_OWN_PATH
    ]
    assert wrong == []


def test_no_module_needs_itself_to_be_loaded() -> None:
    graph = {
        module: {each.module for each in imports(module) if each.early and each.module != module}
        for module in trees()
        if module
    }
    # A package is loaded before its modules, and lists them: that is no circle between modules.
    loops = {
        module: {other for other in wanted if not module.startswith(f"{other}.")} for module, wanted in graph.items()
    }
    tuple(TopologicalSorter(loops).static_order())


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [name for name in trees() if any(VAGUE.fullmatch(part) for part in name.split("."))] == []


def test_time_and_chance_come_through_their_ports() -> None:
    wrong = [
        f"{module}:{where}"
        for module, tree in trees().items()
        if module not in OWN_TIME_AND_CHANCE
        for where in forbidden(tree)
    ]
    assert wrong == []


def forbidden(tree: ast.Module) -> Iterator[str]:
    """Name every use of a clock, of a sleep or of random numbers that is not ours."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Attribute):
            names = {ast.unparse(node)}
        else:
            continue
        yield from (f"{node.lineno} {name}" for name in names if FORBIDDEN.fullmatch(name))


FORBIDDEN: Final = re.compile(
    r"random|random\..*|secrets|secrets\..*|uuid|uuid\..*|os\.urandom|asyncio\.sleep|anyio\.sleep"
    r"|time\.(time|time_ns|monotonic|monotonic_ns|perf_counter|sleep)|(datetime\.)?(datetime|date)\.(now|utcnow|today)"
)


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import time\ntime.time()", 1),
        ("from time import sleep", 1),
        ("import datetime\ndatetime.datetime.now()", 1),
        ("from datetime import date\ndate.today()", 1),
        ("import asyncio\nawait asyncio.sleep(1)", 1),
        ("import random", 1),
        ("from secrets import token_bytes", 2),
        ("self._clock.now()", 0),
        ("clock.monotonic()", 0),
    ],
)
def test_every_way_to_the_wall_clock_is_seen(code: str, found: int) -> None:
    assert len(list(forbidden(ast.parse(code)))) == found


def test_whatever_is_caught_blindly_is_counted_or_raised_again() -> None:
    silent = [
        f"{module}.{function.name}"
        for module, tree in trees().items()
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for handler in ast.walk(function)
        if isinstance(handler, ast.ExceptHandler) and _blind(handler) and not _counts(handler)
    ]
    assert sorted(set(silent) - set(UNCOUNTED)) == []
    assert sorted(set(UNCOUNTED) - set(silent)) == [], "an exemption that nobody needs"


def _blind(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(ast.unparse(each) in {"Exception", "BaseException"} for each in types)


def _counts(handler: ast.ExceptHandler) -> bool:
    return any(
        isinstance(node, ast.Raise)
        or (isinstance(node, ast.Call) and re.search(r"faults\.count$", ast.unparse(node.func)) is not None)
        for node in ast.walk(handler)
    )


WATCHER: Final = """
import json, os, sys, threading
sys.path.insert(0, sys.argv[1])
seen = []
def watch(event, args):
    if event == "open":
        mode, flags = args[1], args[2]
        if (mode and set(mode) & set("wax+")) or (flags or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            seen.append(f"{event} {args[0]}")
    elif event.startswith(("socket.", "subprocess.", "sqlite3.", "os.fork", "os.exec", "os.mkdir", "os.rename")):
        seen.append(event)
    elif event == "_thread.start_new_thread":
        seen.append(event)
sys.addaudithook(watch)
__import__(sys.argv[2])
print(json.dumps({"modules": sorted(sys.modules), "threads": threading.active_count(), "seen": seen}))
"""


def loaded(module: str) -> tuple[Collection[str], int, Collection[str]]:
    """Import a module in a fresh interpreter; return the modules it brought, its threads and what it touched."""
    # -I: neither the environment nor coverage of this run reaches it; -B: bytecode would be a file that is written
    command = [sys.executable, "-I", "-B", "-c", WATCHER, str(SRC), module]
    result = json.loads(subprocess.run(command, check=True, capture_output=True, env={}, timeout=60).stdout)
    return result["modules"], result["threads"], result["seen"]


@pytest.mark.parametrize("module", ["formwarden", "formwarden.cli", "formwarden.settings"])
def test_importing_brings_no_driver_and_does_nothing(module: str) -> None:
    modules, threads, seen = loaded(module)
    assert module in modules
    assert [name for name in modules if name.partition(".")[0] in HEAVY] == []
    assert threads == 1
    assert seen == []
