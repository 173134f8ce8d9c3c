"""What may spiders, pipelines, settings and scripts import?

Everything in ``__all__`` is the public API. So are ``crawler.testing``, ``crawler.contracts``, the classes
that docs/schemes.md names by their path, and the contracts that docs/extending.md lists for swapped parts; the
rest of the package may change. Names are loaded when they are first used, so that ``crawler --help`` does not pay for
the engine.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from crawler.dialect import Dialect, hand_in

if TYPE_CHECKING:
    from crawler.assembly import crawl as crawl
    from crawler.commands.from_code import CrawlResult as CrawlResult
    from crawler.commands.from_code import run as run
    from crawler.commands.from_code import run_blocking as run_blocking
    from crawler.commands.from_code import stream as stream
    from crawler.config.settings import Settings as Settings
    from crawler.download.net.guard import is_public as is_public
    from crawler.download.tcp import TcpDownloader as TcpDownloader
    from crawler.download.tcp import TcpFetch as TcpFetch
    from crawler.errors import AddressForbidden as AddressForbidden
    from crawler.errors import BadResponse as BadResponse
    from crawler.errors import BodyTooLarge as BodyTooLarge
    from crawler.errors import CloseSpider as CloseSpider
    from crawler.errors import ConnectionFailed as ConnectionFailed
    from crawler.errors import ConnectionLost as ConnectionLost
    from crawler.errors import CrawlerError as CrawlerError
    from crawler.errors import DecodingError as DecodingError
    from crawler.errors import DropItem as DropItem
    from crawler.errors import FetchCancelled as FetchCancelled
    from crawler.errors import FetchError as FetchError
    from crawler.errors import FetchTimeout as FetchTimeout
    from crawler.errors import HeadTooLarge as HeadTooLarge
    from crawler.errors import HttpError as HttpError
    from crawler.errors import IgnoreRequest as IgnoreRequest
    from crawler.errors import InvalidRequest as InvalidRequest
    from crawler.errors import JobDamaged as JobDamaged
    from crawler.errors import JobInUse as JobInUse
    from crawler.errors import LocalFailure as LocalFailure
    from crawler.errors import LostWorkers as LostWorkers
    from crawler.errors import NameNotResolved as NameNotResolved
    from crawler.errors import NotConfigured as NotConfigured
    from crawler.errors import NotInCache as NotInCache
    from crawler.errors import ProxyError as ProxyError
    from crawler.errors import RequestDropped as RequestDropped
    from crawler.errors import RequestError as RequestError
    from crawler.errors import RobotsUnreachable as RobotsUnreachable
    from crawler.errors import SessionBlocked as SessionBlocked
    from crawler.errors import SteeringError as SteeringError
    from crawler.errors import StoreError as StoreError
    from crawler.errors import TLSError as TLSError
    from crawler.errors import TooManyRedirects as TooManyRedirects
    from crawler.errors import TruncatedBody as TruncatedBody
    from crawler.errors import UnsupportedScheme as UnsupportedScheme
    from crawler.errors import UsageError as UsageError
    from crawler.events import CrawlClosed as CrawlClosed
    from crawler.events import CrawlClosing as CrawlClosing
    from crawler.events import CrawlOpened as CrawlOpened
    from crawler.events import Event as Event
    from crawler.events import FeedClosed as FeedClosed
    from crawler.events import FetchFailed as FetchFailed
    from crawler.events import HostPaced as HostPaced
    from crawler.events import ItemDropped as ItemDropped
    from crawler.events import ItemFailed as ItemFailed
    from crawler.events import ItemScraped as ItemScraped
    from crawler.events import MemoryHigh as MemoryHigh
    from crawler.events import NothingQueued as NothingQueued
    from crawler.events import PromptClosed as PromptClosed
    from crawler.events import PromptOpened as PromptOpened
    from crawler.events import RequestDelayed as RequestDelayed
    from crawler.events import RequestEnded as RequestEnded
    from crawler.events import RequestRefused as RequestRefused
    from crawler.events import RequestScheduled as RequestScheduled
    from crawler.events import RequestSent as RequestSent
    from crawler.events import RequestsSpooled as RequestsSpooled
    from crawler.events import ResponseDelivered as ResponseDelivered
    from crawler.events import ResponseReceived as ResponseReceived
    from crawler.events import SettingChanged as SettingChanged
    from crawler.events import SpiderFailed as SpiderFailed
    from crawler.events import Stalled as Stalled
    from crawler.events import Steered as Steered
    from crawler.events import StepHeld as StepHeld
    from crawler.feeds.formats import Format as Format
    from crawler.files.files import Files as Files
    from crawler.files.images import Images as Images
    from crawler.generic.feeds import CSVFeedSpider as CSVFeedSpider
    from crawler.generic.feeds import XMLFeedSpider as XMLFeedSpider
    from crawler.generic.loader import ItemLoader as ItemLoader
    from crawler.generic.rules import CrawlSpider as CrawlSpider
    from crawler.generic.rules import Rule as Rule
    from crawler.generic.sitemap import SitemapSpider as SitemapSpider
    from crawler.model.fields import NO_CALLBACK as NO_CALLBACK
    from crawler.model.headers import Headers as Headers
    from crawler.model.item import Field as Field
    from crawler.model.item import Item as Item
    from crawler.model.link import Link as Link
    from crawler.model.links import LinkExtractor as LinkExtractor
    from crawler.model.request import Request as Request
    from crawler.model.response import Response as Response
    from crawler.model.selector import Selector as Selector
    from crawler.model.selector import SelectorList as SelectorList
    from crawler.pipeline import Pipeline as Pipeline
    from crawler.policy.verdict import Drop as Drop
    from crawler.scrapy import signals as signals
    from crawler.scrapy.forms import FormRequest as FormRequest
    from crawler.scrapy.forms import JsonRequest as JsonRequest
    from crawler.scrapy.forms import request_from_dict as request_from_dict
    from crawler.scrapy.kinds import HtmlResponse as HtmlResponse
    from crawler.scrapy.kinds import JsonResponse as JsonResponse
    from crawler.scrapy.kinds import TextResponse as TextResponse
    from crawler.scrapy.kinds import XmlResponse as XmlResponse
    from crawler.shell import inspect_response as inspect_response
    from crawler.shell import open_in_browser as open_in_browser
    from crawler.spider import Crawler as Crawler
    from crawler.spider import Spider as Spider
    from crawler.summary import Summary as Summary

__version__ = "0.1.0"

# Each name is written once, in the imports above: type checkers read those, and compiled code, which has to be
# enough where there is no source, lists each module with what is imported from it behind.
_NAMES = sys._getframe().f_code.co_names
_HOME_OF: dict[str, str] = {}
for _name in _NAMES[_NAMES.index("crawler.assembly") : _NAMES.index("__version__")]:
    if "." in _name:
        _home = _name
    else:
        _HOME_OF[_name] = _home

__all__ = ["__version__", *sorted(_HOME_OF)]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        from crawler.scrapy.names.elsewhere import elsewhere

        if hint := elsewhere(name):
            raise ImportError(hint)  # the one error whose text `from crawler import …` shows
        raise AttributeError(f"module 'crawler' has no attribute {name!r}")
    module = import_module(home)
    value = getattr(module, name) if hasattr(module, name) else import_module(f"{home}.{name}")  # as signals is
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _scrapy() -> Dialect:
    from crawler.scrapy.names import dialect

    return dialect


hand_in(_scrapy)
