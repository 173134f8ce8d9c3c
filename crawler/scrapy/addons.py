"""What are add-ons allowed to change before a crawl is made? Scrapy's ``scrapy.addons``."""

from __future__ import annotations

import logging
from typing import Any

from crawler.errors import NotConfigured, SettingError
from crawler.scrapy.adapters.components import build, loaded
from crawler.scrapy.settings import BaseSettings
from crawler.scrapy.utils.conf import build_component_list

logger = logging.getLogger(__name__.removeprefix("crawler."))


class AddonManager:
    """The add-ons of a crawl, in the order of ADDONS."""

    def __init__(self, crawler: Any) -> None:
        self.crawler = crawler
        self.addons: list[Any] = []

    def load_settings(self, settings: BaseSettings) -> None:
        """Make the add-ons and let each change the settings; one that raises NotConfigured is left out.

        Raises SettingError, and what the add-ons raise.
        """
        for path in _listed(settings):
            try:
                addon = build(loaded(path, "ADDONS"), self.crawler)
                if hasattr(addon, "update_settings"):
                    addon.update_settings(settings)
                self.addons.append(addon)
            except NotConfigured as error:
                if error.args:
                    logger.warning("Disabled %s: %s", path, error.args[0], extra={"crawler": self.crawler})
        if self.addons:
            logger.info("Enabled addons: %s", self.addons, extra={"crawler": self.crawler})

    @classmethod
    def load_pre_crawler_settings(cls, settings: BaseSettings) -> None:
        """Let the add-ons' classes change what is read before there is a crawl, as SPIDER_MODULES."""
        for path in _listed(settings):
            addon_class = loaded(path, "ADDONS")
            if hasattr(addon_class, "update_pre_crawler_settings"):
                addon_class.update_pre_crawler_settings(settings)


def _listed(settings: BaseSettings) -> list[Any]:
    """Return the add-ons in their order, as they are named; two classes of one name are two. Raises SettingError."""
    try:
        return build_component_list(settings["ADDONS"] or {})
    except (ValueError, TypeError, AttributeError) as error:
        raise SettingError(f"ADDONS: expected a dictionary of classes and numbers: {error}") from error
