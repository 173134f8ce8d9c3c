from scrapy import signals
from scrapy.mail import MailSender


class Upper:
    """Writes all in capital letters, without blanks."""

    def __init__(self, file, feed_options):
        self.file = file

    def write(self, data):
        return self.file.write(data.upper().replace(b" ", b""))

    def close(self):
        self.file.close()


class Mailing:
    """Makes its mail, which is not sent."""

    def __init__(self, crawler):
        self.mailer = MailSender.from_crawler(crawler)
        self.stats = crawler.stats
        crawler.signals.connect(self.spider_closed, signal=signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler):
        return cls(crawler)

    def spider_closed(self, spider):
        mails = []
        mailer = MailSender(debug=True, mailfrom="a@b.example")
        mailer.send(to=["some@one.example"], subject="Closed", body="ü", cc=["other@one.example"],
                    _callback=lambda **kwargs: mails.append(kwargs["subject"]), charset="utf-8")
        self.stats.set_value("mails", len(mails))
