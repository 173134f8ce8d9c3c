"""Print how many of Scrapy's tests pass here, by module and by reason: ``python -m tests.scrapy.mirror [MODULE …]``.

``--real PYTHON`` runs them with the Scrapy that this Python has. Other options are pytest's.
"""

from __future__ import annotations

import sys

from tests.scrapy.mirror.running import lines_of, run, table

arguments = sys.argv[1:]
python, door = sys.executable, True
if "--real" in arguments:
    at = arguments.index("--real")
    python, door = arguments[at + 1], False
    del arguments[at : at + 2]
modules = [each for each in arguments if ".py" in each]
options = [each for each in arguments if ".py" not in each]
outcomes = run(modules or lines_of("modules.txt"), *options, python=python, door=door)
print(table(outcomes))
