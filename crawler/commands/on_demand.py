"""Which reactor does a spider get that imports one at the top of its file?

``from twisted.internet import reactor`` installs Twisted's default if there is none, on which asyncio does not
run. Spiders are imported before the crawl's reactor is installed, and Twisted takes long to import; so ours is
installed when the first import asks for one.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_NAME = "twisted.internet.reactor"


class _OnDemand(MetaPathFinder, Loader):
    """Gives the asyncio reactor to whoever imports a reactor first."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Answer for the reactor alone (importlib.abc.MetaPathFinder)."""
        return ModuleSpec(_NAME, self) if fullname == _NAME else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Install the reactor, which stands in the module's place (importlib.abc.Loader)."""
        from crawler.commands.reactor import new_reactor

        return new_reactor()

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is left to do."""


def install_on_demand() -> None:
    """Let the first import of a reactor install the asyncio one."""
    sys.meta_path.insert(0, _OnDemand())
