"""What does ``python -m crawler`` do? The same as the command ``crawler``."""

from __future__ import annotations

from crawler.commands import main

if __name__ == "__main__":
    main()
