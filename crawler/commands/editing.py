"""In which editor does the user change a file?"""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

from crawler.config.settings import Settings
from crawler.errors import UsageError


def edit(path: Path, settings: Settings) -> int:
    """Open a file in the editor, that of EDITOR; return its exit status when it has ended. Raises UsageError."""
    editor = settings.core.EDITOR or os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        return subprocess.run([*shlex.split(editor), str(path)], check=False).returncode
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        hint = "set EDITOR in settings.py or in the environment"
        raise UsageError(f"the editor {editor!r} cannot be started: {why}; {hint}") from error
