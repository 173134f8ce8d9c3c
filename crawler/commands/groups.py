"""How does a command with commands of its own speak of one it does not have?"""

from __future__ import annotations

import click

from crawler.config.nearest import did_you_mean
from crawler.errors import UsageError


class CommandGroup(click.Group):
    """A group whose unknown command is an error of one line that names the nearest."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by name. Raises UsageError."""
        if cmd_name not in self.commands:
            hint = did_you_mean(cmd_name, self.commands) or f"; there are {', '.join(self.commands)}"
            raise UsageError(f'there is no command "{ctx.info_name} {cmd_name}"{hint}')
        return self.commands[cmd_name]
