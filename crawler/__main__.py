"""What does ``python -m crawler`` do? The same as the command ``crawler``."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    if not sys.flags.safe_path:
        del sys.path[0]  # the current folder, whose files would be imported in the place of what has their names
    from crawler.commands import main

    main()
