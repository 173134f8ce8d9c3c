"""What does the page look like? ``python -m tests.status.screenshots DIR [SECONDS]`` crawls and takes its pictures.

The crawl is a real one, of shops that a proxy on loopback makes up; the crawl of many hosts asks 20,000 of them.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.commands.test_jobs_page import DAY, finished_run
from tests.docs.served import Answer, Asked, served

SPIDER = """
from crawler import Request, Spider


class Shops(Spider):
    name = "shops"
    hosts: int = 40

    async def start(self):
        yield Request(f"http://shop-00000.example/all/{self.hosts}", callback=self.parse_all)

    def parse_all(self, response):
        yield from response.follow_all(css="a.shop")

    def parse(self, response):
        yield from response.follow_all(css="a.next")
        title, price = response.css("h1::text").get(), response.css(".price::text").getall()
        yield {"url": response.url, "title": title, "price": price[0], "stock": int(response.css(".stock::text").get())}
"""
WORDS = [
    "light",
    "attic",
    "velvet",
    "sharp",
    "objects",
    "garden",
    "winter",
    "letters",
    "river",
    "house",
    "gods",
    "stone",
]
SIZES = {"light": (1440, 1000), "dark": (1440, 1000), "phone": (375, 812)}


def shop(asked: Asked) -> Answer | str | int:
    """Answer as one of the shops does, whose names say how well it goes."""
    where = urlsplit(asked.path)
    number = int((where.hostname or "-0").partition("-")[2].partition(".")[0] or 0)
    if where.path == "/robots.txt":
        return 404
    book = int(where.path.rpartition("/")[2])
    if where.path.startswith("/all/"):
        return "".join(f"<a class=shop href='http://shop-{each:05}.example/book/1'>shop</a>" for each in range(book))
    chance = random.Random(f"{number} {book} {asked.path}")
    time.sleep(chance.expovariate(8 if number % 5 else 3))
    if number % 11 == 7 and chance.random() < 0.1:
        return Answer("busy", 503, {"Retry-After": "45"})
    if chance.random() < 0.02:
        return 404
    title = " ".join(chance.choices(WORDS, k=3)).title()
    price = "" if chance.random() < 0.03 else f"<p class=price>£{chance.randrange(500, 6000) / 100}</p>"
    links = "".join(f"<a class=next href='/book/{book * 3 + each}'>next</a>" for each in range(3))
    text = "<p>" + " ".join(chance.choices(WORDS, k=chance.randrange(200, 2000))) + "</p>"
    return f"<h1>{title}</h1>{price}<p class=stock>{chance.randrange(40)}</p>{links}{text}"


@contextmanager
def crawl(folder: Path, job: str, proxy: str, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Crawl the shops; gives the process, and the page's address with its token."""
    (folder / "shops.py").write_text(SPIDER)
    command = [sys.executable, "-m", "crawler", "run", "shops.py", "--job", job, "--status", "--status-control"]
    command += ["-s", f"JOB_DIR={folder / 'jobs'}", "-O", "books.jsonl", "--logfile", "log", *options]
    left = folder / "jobs" / f"{job}.status"
    process = subprocess.Popen(command, cwd=folder, env=os.environ | {"http_proxy": proxy}, stderr=subprocess.DEVNULL)
    try:
        while not left.exists():
            assert process.poll() is None, (folder / "log").read_text()
            time.sleep(0.1)
        yield process, json.loads(left.read_bytes())["url"]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def take(page: Page, to: Path, tab: str = "overview", *, whole: bool = False) -> None:
    """Take a picture of one section of a page that is open."""
    page.locator(f".top nav a[href='#{tab}']").click()
    page.mouse.move(0, 0)
    page.wait_for_timeout(1200)
    page.screenshot(path=to, full_page=whole)
    smaller(to)


def smaller(picture: Path) -> None:
    """Keep 256 colours of a picture, which is all it has but for the edges of letters."""
    Image.open(picture).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(picture, optimize=True)
    print(picture, picture.stat().st_size)


def open_page(browser: Browser, url: str, name: str) -> Page:
    """Open a page in the size and colours that a name stands for."""
    width, height = SIZES.get(name, SIZES["light"])
    scheme = "dark" if name == "dark" else "light"
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(url)
    page.locator("#state", has_text="running").wait_for()
    return page


def shops(browser: Browser, to: Path, proxy: str, seconds: float) -> None:
    """Take all sections of a crawl of forty shops, in all sizes, and its end."""
    options = ("-s", "DOWNLOAD_DELAY=0.5")
    with tempfile.TemporaryDirectory() as folder, crawl(Path(folder), "shops", proxy, *options) as (process, url):
        pages = {name: open_page(browser, url, name) for name in SIZES}
        time.sleep(seconds)
        for name, page in pages.items():
            take(page, to / f"{name}.png", whole=name == "phone")
            take(page, to / f"{name}-hosts.png", "hosts")
        light = pages["light"]
        for tab in ("errors", "items", "settings"):
            take(light, to / f"light-{tab}.png", tab)
        light.locator(".top nav a[href='#hosts']").click()
        light.locator("[data-host]").first.click()
        light.screenshot(path=to / "light-host.png")
        smaller(to / "light-host.png")
        light.keyboard.press("Escape")
        process.send_signal(signal.SIGINT)
        light.get_by_text("The crawl is over").wait_for(timeout=60_000)
        take(light, to / "light-end.png")


def many_hosts(browser: Browser, to: Path, proxy: str) -> None:
    """Take the table of 20,000 hosts, and print how long a sort of it takes in the page."""
    with tempfile.TemporaryDirectory() as folder:
        options = ("-a", "hosts=20000", "-s", "CONCURRENT_REQUESTS=4", "-s", "ROBOTSTXT_OBEY=False")
        with crawl(Path(folder), "many", proxy, *options) as (_, url):
            page = open_page(browser, url, "light")
            page.locator(".top nav a[href='#hosts']").click()
            page.locator("#hosts-pages", has_text="of 20,000").wait_for(timeout=60_000)
            take(page, to / "many-hosts.png", "hosts")
            started = time.monotonic()
            page.get_by_role("button", name="Pages").click()
            page.locator("th[aria-sort=descending]", has_text="Pages").wait_for()
            print(f"sorted in {time.monotonic() - started:.2f} s; {page.locator('#hosts-pages').inner_text()}")


def jobs(browser: Browser, to: Path) -> None:
    """Take the page of all jobs, in which the last run of one spider brought little, and the page of one of them."""
    with tempfile.TemporaryDirectory() as folder:
        path, chance = Path(folder) / "jobs", random.Random(7)
        path.mkdir()
        today = int(time.time() / DAY)
        for spider, usual in ("books", 1000), ("quotes", 400), ("shops", 5200):
            for day in range(today - 14, today):
                few = spider == "books" and day == today - 1
                finished_run(path, day, usual // 3 if few else int(usual * chance.uniform(0.9, 1.1)), spider=spider)
        command = [sys.executable, "-m", "crawler", "jobs", "--serve", "-s", f"JOB_DIR={path}"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            url = process.stderr.readline().removeprefix("jobs page: ").strip()
            for name, (width, height) in SIZES.items():
                scheme = "dark" if name == "dark" else "light"
                context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
                page = context.new_page()
                page.goto(url)
                page.locator("#jobs tbody th").first.wait_for()
                page.screenshot(path=to / f"{name}-jobs.png")
                smaller(to / f"{name}-jobs.png")
            page.set_viewport_size({"width": 1440, "height": 1000})
            page.locator("#jobs tbody a").first.click()
            page.get_by_text("The crawl is over").wait_for()
            page.screenshot(path=to / "light-job.png")
            smaller(to / "light-job.png")
            process.kill()


def main(to: str, seconds: str = "60") -> None:
    """Take all pictures."""
    folder = Path(to)
    folder.mkdir(parents=True, exist_ok=True)
    with served(shop) as proxy, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        shops(browser, folder, proxy, float(seconds))
        many_hosts(browser, folder, proxy)
        jobs(browser, folder)
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
