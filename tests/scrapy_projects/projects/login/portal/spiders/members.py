import logging

import scrapy
from scrapy.exceptions import CloseSpider
from scrapy.http import FormRequest, Request
from scrapy.utils.response import get_base_url


def authentication_failed(response):
    return b"Login failed" in response.body


class MembersSpider(scrapy.Spider):
    name = "members"
    allowed_domains = ["portal.example"]
    login_url = "http://portal.example/login"
    start_urls = [login_url]

    def __init__(self, user="ada", password="secret", *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.user = user
        self.password = password

    def parse(self, response):
        token = response.css('input[name="csrf"]::attr(value)').extract_first()
        self.logger.info("token %s", token)
        return FormRequest.from_response(
            response,
            formid="login",
            formdata={"user": self.user, "password": self.password},
            callback=self.after_login,
        )

    def after_login(self, response):
        if authentication_failed(response):
            self.logger.error("Login failed")
            raise CloseSpider("login failed")
        yield {"welcome": response.xpath("//h1/text()").get(), "url": response.url}
        for href in response.css("ul.members a::attr(href)").getall():
            yield Request(response.urljoin(href), callback=self.parse_member, cookies={"seen": "yes"})
        yield FormRequest(
            "http://portal.example/search", formdata={"q": "all", "page": "1"}, callback=self.parse_search
        )
        yield FormRequest("http://portal.example/search", method="GET", formdata={"q": "a b", "page": "2"},
                          callback=self.parse_search)

    def parse_member(self, response):
        yield {
            "name": response.css("h1::text").get(),
            "mail": response.css("a.mail::attr(href)").re_first(r"mailto:(.*)"),
            "base": get_base_url(response),
            "flags": sorted(response.flags),
        }

    def parse_search(self, response):
        for row in response.css("li"):
            yield {"hit": row.css("::text").get(), "method": response.request.method}
        form = response.css("form#more")
        if form:
            yield FormRequest.from_response(response, formcss="form#more", clickdata={"name": "next"},
                                            callback=self.parse_search)


class JarsSpider(scrapy.Spider):
    """Several sessions at once, each in a jar of its own."""

    name = "jars"
    handle_httpstatus_list = [401]

    async def start(self):
        for number, user in enumerate(["ada", "bob"]):
            yield scrapy.Request(
                "http://portal.example/login",
                meta={"cookiejar": number, "user": user},
                dont_filter=True,
                callback=self.log_in,
            )
        yield scrapy.Request("http://basic.example/area", self.parse_basic)
        yield scrapy.Request("http://basic.example/area?again=1", self.parse_basic, meta={"http_user": "x"})

    http_user = "joe"
    http_pass = "pass"
    http_auth_domain = "basic.example"

    def log_in(self, response):
        return scrapy.FormRequest.from_response(
            response,
            formname="login",
            formdata={"user": response.meta["user"], "password": "secret", "remember": None},
            meta={"cookiejar": response.meta["cookiejar"]},
            callback=self.home,
        )

    def home(self, response):
        self.log("home of %s" % response.meta["cookiejar"], level=logging.DEBUG)
        yield {"jar": response.meta["cookiejar"], "title": response.css("title::text").get()}
        yield response.follow("/member/1?of=%s" % response.meta["cookiejar"], self.member, meta=response.meta)
        yield response.follow(
            "/member/2",
            self.member,
            meta={"cookiejar": response.meta["cookiejar"], "dont_merge_cookies": True},
            cookies={"own": "1"},
            dont_filter=True,
        )

    def member(self, response):
        yield {
            "jar": response.meta.get("cookiejar"),
            "member": response.css("h1::text").get(),
            "sent": response.css("#cookie::text").get(""),
        }

    def parse_basic(self, response):
        yield {"status": response.status, "auth": response.css("#authorization::text").get("")}
