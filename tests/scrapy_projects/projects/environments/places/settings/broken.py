from places.settings.base import *  # noqa: F403

raise RuntimeError("a settings module that raises")
