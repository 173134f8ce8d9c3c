"""Run the cases by Scrapy itself, and write what they note: ``python record.py``, where Scrapy 2.19 is installed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RECORDED = HERE.parent / "data" / "around.json"


class Site:
    """Stands in the network's place."""

    lazy = False

    async def download_request(self, request: Any) -> Any:
        from scrapy.exceptions import DownloadConnectionRefusedError
        from scrapy.http import HtmlResponse

        path = request.url.removeprefix("http://a.test/")
        if path.startswith("down"):
            raise DownloadConnectionRefusedError("down")
        status = int(path[:3]) if len(path) >= 3 and path[:3].isdigit() else 200
        headers = {"Location": "http://a.test/" + path[4:]} if status == 302 else {}
        return HtmlResponse(request.url, status, body=b"<p>", headers=headers, request=request)

    async def close(self) -> None:
        pass


def ran(name: str) -> dict[str, Any]:
    """Return what a case noted, its items and some of its stats."""
    import cases
    from scrapy import signals
    from scrapy.crawler import CrawlerProcess

    process = CrawlerProcess({
        "DOWNLOAD_HANDLERS": {"http": "record.Site"}, "RETRY_ENABLED": False, "LOG_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False, "CONCURRENT_REQUESTS": 1,
    })  # fmt: skip
    crawler = process.create_crawler(cases.CASES[name])
    items: list[Any] = []
    crawler.signals.connect(lambda item: items.append(item), signals.item_scraped, weak=False)
    process.crawl(crawler)
    process.start()
    stats = crawler.stats.get_stats()
    counted = {key: value for key, value in stats.items() if key.startswith(COUNTED)}
    return {"trace": cases.trace, "items": [written(item) for item in items], "stats": counted}


COUNTED = (
    *("item_scraped_count", "item_dropped_count", "spider_exceptions/", "httperror/", "depth/", "urllength/"),
    "finish_reason",
)


def written(item: Any) -> Any:
    """Return an item as JSON has it."""
    from itemadapter import ItemAdapter

    return ItemAdapter(item).asdict() if ItemAdapter.is_item(item) else item


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    if len(sys.argv) > 1:
        print(json.dumps(ran(sys.argv[1])))
    else:
        import cases

        recorded = {}
        for case in cases.CASES:
            done = subprocess.run([sys.executable, __file__, case], capture_output=True, text=True, check=False)
            recorded[case] = json.loads(done.stdout) if done.returncode == 0 else sys.exit(done.stderr)
        RECORDED.parent.mkdir(exist_ok=True)
        RECORDED.write_text(json.dumps(recorded, indent=1, sort_keys=True) + "\n")
