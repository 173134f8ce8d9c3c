"""Has the real Scrapy write its stats to a file when a spider closes, whatever the project's settings are."""

import json
from pathlib import Path

from scrapy import statscollectors

_close = statscollectors.StatsCollector.close_spider


def close_spider(self, *arguments, **named):
    Path("stats.json").write_text(json.dumps(self.get_stats(), default=str))
    return _close(self, *arguments, **named)


statscollectors.StatsCollector.close_spider = close_spider
