"""Is there anything in the sources that turns data into code, or listens?"""

from __future__ import annotations

import ast

from tests.security.expressions import ROOT, sources

NEVER = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "yaml", "jsonpickle", "joblib", "copyreg"}
REASONED: dict[tuple[str, str], str] = {
    ("crawler/scrapy/exporters.py", "pickle"): "Scrapy's exporter of that name writes it, and nothing reads it",
    ("crawler/scrapy/exporters.py", "marshal"): "Scrapy's exporter of that name writes it, and nothing reads it",
}
"""(file, module): why it may import one of these all the same, and what keeps it from reading what was fetched."""
RUN = {"eval", "exec", "compile", "__import__"}
LISTEN = {"listenTCP", "listenSSL", "listenUDP", "listenUNIX", "start_server", "create_server", "listen"}
LISTEN |= {"listen_on", "listen_at"}  # ours, of crawler/local_socket.py

# A spider's own annotations, where the spider wrote them as text: code of the project, not data.
ALLOWED = {("crawler/config/components.py", "eval")}
# The __init__.py of a Scrapy project's package that is named as ours is: run as Python would, in ours.
ALLOWED |= {("crawler/scrapy/adapters/finder.py", name) for name in ("compile", "exec")}
# What somebody types at a prompt of Python in the crawl: that is what it is for, and who may is in docs/console.md.
ALLOWED |= {("crawler/console/python.py", "eval")}
# The sample bookshop is a server; it is a program of its own, on loopback, that a user starts.
SERVERS = {("crawler/sample/__main__.py", "listenTCP")}
# The status page and the consoles, where they are asked for: loopback unless told otherwise, a token or keys that the
# settings name, and Unix sockets of mode 0600.
SERVERS |= {("crawler/local_socket.py", "listenTCP"), ("crawler/local_socket.py", "listenUNIX")}
SERVERS |= {("crawler/status/server.py", "listen_on"), ("crawler/status/server.py", "listen_at")}
SERVERS |= {("crawler/console/ssh/door.py", "listen_on"), ("crawler/console/local.py", "listen_at")}
# A store of one's own objects is told who listens to it: no socket.
SERVERS |= {("crawler/engine/sending/holding.py", "listen")}


def _called() -> set[tuple[str, str]]:
    found = set()
    for path, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                is_method = isinstance(node.func, ast.Attribute)
                if name in LISTEN or (name in RUN and not is_method):
                    found.add((str(path.relative_to(ROOT)), name))
    return found


def test_nothing_that_runs_what_it_reads_is_imported() -> None:
    for path, tree in sources():
        for node in ast.walk(tree):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in {name.partition(".")[0] for name in names} & NEVER:
                assert (str(path.relative_to(ROOT)), name) in REASONED, f"{path} imports {name}"


def test_nothing_is_run_and_nothing_listens() -> None:
    assert _called() == ALLOWED | SERVERS


def test_modules_are_imported_by_name_in_known_places_only() -> None:
    """The names come from settings, the command line or our own tables, never from what was fetched or stored."""
    found = set()
    for path, tree in sources():
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "attr", getattr(node.func, "id", "")) == "import_module"
            ):
                found.add(str(path.relative_to(ROOT)))
    assert found <= {
        "crawler/__init__.py",
        "crawler/commands/__init__.py",
        "crawler/config/components.py",
        "crawler/config/importing.py",
        "crawler/remote/options.py",  # the drivers of a table there
        "crawler/feeds/options.py",
        # Which dialect a spider's class speaks, and what `import scrapy` gives: tables of ours.
        "crawler/assembly/making.py",
        "crawler/assembly/companions.py",
        "crawler/commands/migrating.py",
        "crawler/scrapy/__init__.py",
        "crawler/scrapy/adapters/crawls.py",
        "crawler/scrapy/adapters/finder.py",
        # Modules that a Scrapy project's settings name, or its own code.
        "crawler/scrapy/settings/__init__.py",
        "crawler/scrapy/utils/misc.py",
        "crawler/scrapy/utils/project.py",
    }
