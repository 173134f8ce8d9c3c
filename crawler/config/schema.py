"""Which settings does the crawler itself have, with which types, bounds and defaults?

Names and meanings are Scrapy's where Scrapy has them (docs.scrapy.org, "Settings"). Times are
seconds, sizes bytes. What each does is its ``description``: `crawler settings` prints it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, field

from crawler.config import holds
from crawler.config.holds import Holds
from crawler.config.seen_settings import SeenSettings


def _said(description: str) -> Meta:
    return Meta(description=description)


Seconds = Annotated[float, Meta(ge=0, le=1e9)]
Count = Annotated[int, Meta(ge=0, le=2**53)]
Positive = Annotated[int, Meta(ge=1, le=2**53)]
Signed = Annotated[int, Meta(ge=-999_999, le=999_999)]
Statuses = Annotated[list[int], Holds(holds.statuses)]
SLOT_OPTIONS: dict[str, Any] = {"concurrency": Positive, "delay": Seconds, "randomize_delay": bool, "jitter": Seconds}
TLS_VERSIONS = Literal["1.0", "1.1", "1.2", "1.3"]
TLS_OPTIONS: dict[str, Any] = {
    "verify": bool,
    "ca_file": str | None,
    "cert_file": str | None,
    "key_file": str | None,
    "min_version": TLS_VERSIONS,
}
FailOn = Literal["start", "callback", "downloads", "any-download", "item", "none"]


class CoreSettings(SeenSettings, kw_only=True, frozen=True):
    """Every setting of the crawler itself, with its default."""

    # Who we are
    BOT_NAME: Annotated[str, _said("Has no effect; Scrapy's projects set it. Say who you are in USER_AGENT")] = (
        "crawler"
    )
    USER_AGENT: Annotated[str, _said("User-Agent header of every request"), Holds(holds.header)] = "crawler/0.1"
    DEFAULT_REQUEST_HEADERS: Annotated[
        dict[str, str | int | None], _said("Headers a request gets unless it has them"), Holds(holds.headers)
    ] = field(
        default_factory=lambda: {
            "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "Accept-Language": "en",
        }
    )
    SPIDER_MODULES: Annotated[list[str], _said("Modules or packages where spiders are looked for")] = field(
        default_factory=lambda: ["spiders"]
    )

    SPIDER_CONTRACTS: Annotated[
        list[Any], _said("Classes of contracts for `crawler check`, beside the built-in ones")
    ] = []

    # How much at once
    CONCURRENT_REQUESTS: Annotated[Positive, _said("Requests in flight at once")] = 16
    CONCURRENT_REQUESTS_PER_DOMAIN: Annotated[Positive, _said("Requests in flight at once to one host")] = 8
    CONCURRENT_ITEMS: Annotated[Positive, _said("Items in the pipelines at once; callbacks wait beyond")] = 100
    SCRAPER_SLOT_MAX_ACTIVE_SIZE: Annotated[Positive, _said("Bytes of responses that may wait for callbacks")] = (
        5_000_000
    )
    DOWNLOAD_DELAY: Annotated[Seconds, _said("Least time between two requests to one host")] = 0.0
    RANDOMIZE_DOWNLOAD_DELAY: Annotated[bool, _said("Lengthen each delay by a random 0 to 50 %")] = True
    DOWNLOAD_DELAY_JITTER: Annotated[Seconds | None, _said("Or lengthen and shorten each by up to this part of it")] = (
        None
    )
    DOWNLOAD_SLOTS: Annotated[
        dict[str, dict[str, Any]],
        _said("Per host: concurrency, delay, randomize_delay, jitter (as DOWNLOAD_DELAY_JITTER)"),
        holds.options(SLOT_OPTIONS, holds.slot),
    ] = {}
    THROTTLE_ENABLED: Annotated[bool, _said("Slow down hosts that answer 429 or 503 or time out")] = True
    THROTTLE_MAX_DELAY: Annotated[Seconds, _said("Longest delay the throttle sets")] = 60.0
    THROTTLE_BY: Annotated[Literal["overload", "latency"], _said("By refusals, or how long answers take")] = "overload"
    THROTTLE_TARGET_CONCURRENCY: Annotated[
        float, Meta(gt=0, le=1e6), _said("By latency: requests under way at a host, on average")
    ] = 1.0
    THROTTLE_START_DELAY: Annotated[Seconds, _said("By latency: the delay that a host begins with")] = 5.0
    THROTTLE_DEBUG: Annotated[bool, _said("By latency: tell each change of a delay")] = False

    QUEUE_ORDER: Annotated[
        Literal["oldest", "newest"],
        _said("Which request of one priority a host is asked first, but for those of start()"),
    ] = "oldest"

    # What is followed
    DEPTH_LIMIT: Annotated[Count, _said("Deepest level of links followed; 0: no limit")] = 0
    DEPTH_PRIORITY: Annotated[Signed, _said("Priority is lowered by depth times this")] = 0
    URLLENGTH_LIMIT: Annotated[Count, _said("Longest URL followed; 0: no limit")] = 2083
    REQUEST_FILTERS: Annotated[list[Any], _said("More filters: (request, found_on) -> Request or Drop")] = []
    FINGERPRINT: Annotated[Any, _said("Function (request) -> int in place of the built-in fingerprint")] = None
    SLOT_KEY: Annotated[Any, _said("Function (request) -> str in place of the host name")] = None
    REFERER_ENABLED: Annotated[bool, _said("Send Referer")] = True
    REFERRER_POLICY: Annotated[
        str, _said("The Referrer-Policy used unless a page has its own"), Holds(holds.referrer_policy)
    ] = "strict-origin-when-cross-origin"

    # robots.txt
    ROBOTSTXT_OBEY: Annotated[bool, _said("Fetch and obey robots.txt")] = True
    ROBOTSTXT_USER_AGENT: Annotated[
        str | None, _said("Name looked up in robots.txt; None: USER_AGENT"), Holds(holds.header)
    ] = None
    ROBOTSTXT_RETRY_SECONDS: Annotated[Seconds, _said("When an unreachable robots.txt is tried again")] = 600.0
    ROBOTSTXT_MAX_DELAY: Annotated[Seconds, _said("Longest Crawl-delay obeyed")] = 60.0

    # Retry, redirect, errors
    RETRY_ENABLED: Annotated[bool, _said("Try again after errors that may pass")] = True
    RETRY_TIMES: Annotated[Count, _said("How many times again")] = 2
    RETRY_HTTP_CODES: Annotated[Statuses, _said("Statuses that are tried again")] = field(
        default_factory=lambda: [500, 502, 503, 504, 522, 524, 408, 429]
    )
    RETRY_PRIORITY_ADJUST: Annotated[Signed, _said("Added to the priority of a retried request")] = -1
    RETRY_BACKOFF: Annotated[Seconds, _said("First wait before a retry; doubles each time")] = 1.0
    RETRY_BACKOFF_MAX: Annotated[Seconds, _said("Longest wait before a retry")] = 60.0
    RETRY_AFTER_MAX: Annotated[Seconds, _said("Longest Retry-After obeyed; it holds the whole host")] = 600.0
    REDIRECT_ENABLED: Annotated[bool, _said("Follow redirects")] = True
    REDIRECT_MAX_TIMES: Annotated[Count, _said("Longest chain of redirects")] = 20
    REDIRECT_PRIORITY_ADJUST: Annotated[Signed, _said("Added to the priority of a redirected request")] = 2
    METAREFRESH_ENABLED: Annotated[bool, _said("Follow meta refresh")] = True
    METAREFRESH_MAXDELAY: Annotated[Seconds, _said("Longest meta refresh delay followed")] = 100.0
    METAREFRESH_IGNORE_TAGS: Annotated[list[str], _said("Tags in which meta refresh does not count")] = field(
        default_factory=lambda: ["noscript"]
    )
    HTTPERROR_ALLOW_ALL: Annotated[bool, _said("Give responses of any status to callbacks")] = False
    HTTPERROR_ALLOWED_CODES: Annotated[Statuses, _said("Statuses beside 2xx given to callbacks")] = []

    # Downloading
    DOWNLOADER: Annotated[Any, _said('"fast", "twisted" (Twisted\'s own Agent), or a class')] = "fast"
    MIDDLEWARES: Annotated[list[Any], _said("Middlewares around the downloader, outermost first")] = []
    SCHEMES: Annotated[dict[str, Any], _said("Downloader class of each further URL scheme"), Holds(holds.schemes)] = {}
    DOWNLOAD_TIMEOUT: Annotated[Seconds, _said("Longest time of one fetch, connect to last byte; 0: none")] = 180.0
    DOWNLOAD_CONNECT_TIMEOUT: Annotated[Seconds, _said("Longest time to connect, TLS included")] = 30.0
    DOWNLOAD_READ_TIMEOUT: Annotated[Seconds, _said("Longest silence while reading; 0: none")] = 60.0
    DOWNLOAD_MAXSIZE: Annotated[Count, _said("Largest body, on the wire and decoded; 0: no limit")] = 1_073_741_824
    DOWNLOAD_WARNSIZE: Annotated[Count, _said("Body size from which a warning is logged; 0: none")] = 33_554_432
    DOWNLOAD_SPOOL_SIZE: Annotated[Count, _said("Body size from which it is kept in a temporary file; 0: never")] = (
        16_777_216
    )
    DOWNLOAD_FAIL_ON_DATALOSS: Annotated[bool, _said("A truncated body is an error (else flagged dataloss)")] = True
    HEADER_MAX_LINE: Annotated[Positive, _said("Longest header line")] = 65_536
    HEADER_MAX_COUNT: Annotated[Positive, _said("Most header lines of a response")] = 1000
    HEADER_MAX_TOTAL: Annotated[Positive, _said("Most bytes of a response's head")] = 262_144
    COMPRESSION_ENABLED: Annotated[bool, _said("Ask for and decode gzip, deflate, br, zstd")] = True
    COOKIES_ENABLED: Annotated[bool, _said("Keep and send cookies")] = True
    COOKIES_DEBUG: Annotated[bool, _said("Log cookies sent and received")] = False
    COOKIES_HEADER: Annotated[
        Literal["merged", "replaced"], _said("A Cookie header set by hand: sent, too, or not")
    ] = "merged"
    KEEP_ALIVE_SECONDS: Annotated[Seconds, _said("How long an idle connection is kept")] = 30.0
    BIND_ADDRESS: Annotated[str | None, _said("Local address connections come from"), Holds(holds.address)] = None
    DENY_PRIVATE_ADDRESSES: Annotated[bool, _said("Refuse all that is not the public network")] = False

    # Names
    DNS_CACHE_SIZE: Annotated[Positive, _said("Most names remembered")] = 10_000
    DNS_TTL: Annotated[Seconds, _said("How long a name is remembered")] = 300.0
    DNS_NEGATIVE_TTL: Annotated[Seconds, _said("How long a failure is remembered")] = 10.0
    DNS_TIMEOUT: Annotated[Seconds, _said("Longest time for a name")] = 60.0
    DNS_RESOLVER: Annotated[Literal["threads", "twisted"], _said("Who resolves: the system's, or twisted.names")] = (
        "threads"
    )

    # TLS
    TLS_VERIFY: Annotated[bool, _said("Verify certificates")] = True
    TLS_HOSTS: Annotated[
        dict[str, dict[str, Any]],
        _said("Per host: verify, ca_file, cert_file, key_file, min_version"),
        holds.options(TLS_OPTIONS, holds.host),
    ] = {}
    TLS_MIN_VERSION: Annotated[TLS_VERSIONS, _said("Oldest TLS spoken")] = "1.2"
    TLS_CA_FILE: Annotated[str | None, _said("PEM file of trusted roots beside the system's"), Holds(holds.path)] = None

    # HTTP/2, proxies, logins
    HTTP2_ENABLED: Annotated[bool, _said("Speak HTTP/2 where the server offers it")] = True
    HTTPPROXY_ENABLED: Annotated[bool, _said("Use http_proxy, https_proxy and no_proxy of the environment")] = True
    PROXIES: Annotated[list[str], _said("A pool of proxies to rotate through")] = []
    PROXY_CONCURRENCY: Annotated[Count, _said("Requests in flight through one proxy of PROXIES; 0: no limit")] = 0
    SESSIONS: Annotated[Count, _said("Size of the session pool; 0: no sessions")] = 0
    SESSION_IDENTITIES: Annotated[
        list[dict[str, str]], _said("Header sets the sessions take turns with"), Holds(holds.header_sets)
    ] = []
    SESSION_BLOCKED_CODES: Annotated[Statuses, _said("Statuses that mean: this session is blocked")] = field(
        default_factory=lambda: [401, 403, 429]
    )
    SESSION_MAX_USES: Annotated[Count, _said("Requests after which a session is thrown away; 0: never")] = 0
    HTTP_AUTH: Annotated[
        dict[str, str], _said('Per origin ("https://host"): "user:password"'), Holds(holds.origins)
    ] = {}

    # Cache
    HTTPCACHE_ENABLED: Annotated[bool, _said("Answer from the HTTP cache where it may")] = False
    HTTPCACHE_POLICY: Annotated[
        Literal["rfc9111", "everything", "replay"], _said("What is fresh: RFC 9111, all, or only the cache")
    ] = "rfc9111"
    HTTPCACHE_FILE: Annotated[str, _said("The cache's file"), Holds(holds.path)] = ".crawler/cache.sqlite"
    HTTPCACHE_MAX_SIZE: Annotated[Count, _said("Most bytes kept; 0: no limit")] = 1_073_741_824
    HTTPCACHE_EXPIRATION_SECS: Annotated[Seconds, _said("Oldest page kept; 0: no limit")] = 0.0
    HTTPCACHE_IGNORE_HTTP_CODES: Annotated[Statuses, _said("Statuses never kept")] = []
    WARC_FILE: Annotated[str | None, _said("Write every exchange to this WARC file"), Holds(holds.path)] = None

    # Items and feeds
    PIPELINES: Annotated[list[Any], _said("Stages every item goes through, in order")] = []
    FEEDS: Annotated[dict[str, dict[str, Any]], _said("Outputs: path -> format, fields, encoding, indent, …")] = {}
    FEED_EXPORT_ENCODING: Annotated[str, _said("Encoding of feeds"), Holds(holds.encoding)] = "utf-8"
    FEED_EXPORT_FIELDS: Annotated[list[str] | dict[str, str] | None, _said("Fields written, in this order")] = None
    FEED_EXPORT_INDENT: Annotated[int | None, _said("Indentation of JSON and XML")] = None
    FEED_EXPORT_BATCH_ITEM_COUNT: Annotated[Count, _said("Items in each file of a feed; 0: one file")] = 0
    FEED_STORE_EMPTY: Annotated[bool, _said("Make the file even if no item came")] = True
    FEED_FORMATS: Annotated[dict[str, Any], _said("Class of each further feed format")] = {}
    FEED_STORAGES: Annotated[dict[str, Any], _said("Class that stores files, for each further URL scheme")] = {}
    FEED_URI_PARAMS: Annotated[Any, _said("Function of (params, spider) that gives the placeholders of paths")] = None
    FEED_TEMPDIR: Annotated[str | None, _said("Where files wait to be stored, of a crawl without job")] = None
    FEED_STORAGE_S3_ACL: Annotated[str, _said("Canned ACL of files in S3")] = ""
    FEED_STORAGE_FTP_ACTIVE: Annotated[bool, _said("FTP servers connect to us, not we to them")] = False
    CSV_ESCAPE_FORMULAS: Annotated[bool, _said("Write a quote before CSV cells a spreadsheet would run")] = False

    # Stores on other machines
    STORE_CREDENTIALS: Annotated[
        list[str], _said("SCHEME://USER:PASSWORD@HOST of stores; also from the environment")
    ] = []
    AWS_ACCESS_KEY_ID: Annotated[str | None, _said("Key of S3; None: as the AWS tools find it")] = None
    AWS_SECRET_ACCESS_KEY: Annotated[str | None, _said("Its secret; None: as the AWS tools find it")] = None
    AWS_SESSION_TOKEN: Annotated[str | None, _said("Token of temporary credentials of S3")] = None
    AWS_ENDPOINT_URL: Annotated[str | None, _said("URL of a server that speaks S3; None: Amazon's")] = None
    AWS_REGION_NAME: Annotated[str | None, _said("Region of S3")] = None
    AWS_USE_SSL: Annotated[bool | None, _said("Speak TLS with S3; None: yes")] = None
    AWS_VERIFY: Annotated[bool | str | None, _said("Verify S3's certificate, or by this CA file; None: yes")] = None
    GCS_PROJECT_ID: Annotated[str | None, _said("Project of Google Cloud Storage")] = None

    # Jobs
    JOB_STORE: Annotated[
        Any, _said('"sqlite", the URL of a Redis or Valkey, None (all in memory), or a class'), Holds(holds.store)
    ] = "sqlite"
    JOB_STORE_PASSWORD: Annotated[str | None, _said("Password of that server; also from the environment")] = None
    JOB_PREFIX: Annotated[str, _said("What its keys begin with: one for each project"), Holds(holds.prefix)] = "crawler"
    JOB_LEASE_SECONDS: Annotated[
        float, Meta(ge=1, le=3600), _said("How long a worker that is not heard of keeps its requests")
    ] = 15.0
    JOB_DIR: Annotated[str, _said("Folder of job files"), Holds(holds.path)] = ".crawler/jobs"
    JOB_NAME: Annotated[str | None, _said("Name of the job; None: made from the spider and the time")] = None
    JOB_KEEP: Annotated[bool, _said("Keep the job file of a finished crawl")] = False
    JOB_HISTORY_DAYS: Annotated[Seconds, _said("How many days what is known of a finished crawl is kept; 0: not")] = (
        30.0
    )
    JOB_HISTORY_RUNS: Annotated[Count, _said("Of how many finished crawls of a spider that is kept; 0: of none")] = 20
    JOB_WINDOW: Annotated[Positive, _said("Requests of a host held in memory")] = 64
    JOB_COMMIT_SECONDS: Annotated[Seconds, _said("Longest time a result waits for its group's commit")] = 0.05
    JOB_COMMIT_REQUESTS: Annotated[Positive, _said("Most requests in a group")] = 256
    JOB_EXPLAIN: Annotated[
        Literal["accepted", "full"], _said("What `crawler explain` knows: accepted URLs, or refused links too")
    ] = "accepted"

    # Second runs
    SINCE: Annotated[
        str | None, _said("Ask only whether pages have changed since a run: \"LAST\", a job's name, or a run's")
    ] = None
    ONLY_NEW: Annotated[bool, _said("Leave out the pages that this run knew as leaves")] = False
    CHANGES_FILE: Annotated[
        str | None, _said("Write which items are new, changed or gone to this file (JSON Lines)"), Holds(holds.path)
    ] = None
    CHANGES_IGNORE: Annotated[list[str], _said("Fields in which an item may differ and be the same")] = []
    ITEM_KEY: Annotated[
        Any, _said("Which item is the same in two runs: a field, several, or a function (item) -> str"),
        Holds(holds.item_key),
    ] = None  # fmt: skip
    JOB_HISTORY_ITEMS: Annotated[
        Literal["digests", "whole", "none"], _said("What is kept of a finished crawl's items")
    ] = "digests"

    # When to stop
    CLOSESPIDER_ITEMCOUNT: Annotated[Count, _said("Stop after so many items; 0: never")] = 0
    CLOSESPIDER_PAGECOUNT: Annotated[Count, _said("Stop after so many responses; 0: never")] = 0
    CLOSESPIDER_ERRORCOUNT: Annotated[Count, _said("Stop after so many errors; 0: never")] = 0
    CLOSESPIDER_TIMEOUT: Annotated[Seconds, _said("Stop after so long; 0: never")] = 0.0
    CLOSESPIDER_TIMEOUT_NO_ITEM: Annotated[Seconds, _said("Stop after so long without an item; 0: never")] = 0.0
    CLOSESPIDER_PAGECOUNT_NO_ITEM: Annotated[Count, _said("Stop after so many responses without an item; 0: never")] = 0
    FAIL_ON: Annotated[list[FailOn], _said("What makes the exit status 1")] = field(
        default_factory=lambda: ["start", "callback", "item", "downloads"]
    )

    # Writing spiders
    EDITOR: Annotated[
        str | None, _said("What `crawler edit` and `genspider -e` open files in; None: $VISUAL, $EDITOR or vi")
    ] = None
    TEMPLATES_DIR: Annotated[
        str | None, _said("Folder with templates of your own for genspider and startproject"), Holds(holds.path)
    ] = None

    # Seeing
    EXTENSIONS: Annotated[list[Any], _said("Subscribers to events")] = []
    LOGSTATS_INTERVAL: Annotated[Seconds, _said("Time between progress lines; 0: none")] = 60.0
    HOLD_WARNING_SECONDS: Annotated[Seconds, _said("A step of user code longer than this is logged; 0: never")] = 0.1
