from scrapy.commands import ScrapyCommand


class Command(ScrapyCommand):
    requires_project = True
    default_settings = {"LOG_ENABLED": False}

    def short_desc(self):
        return "Write the spiders' names to a file"

    def add_options(self, parser):
        super().add_options(parser)
        parser.add_argument("--upper", action="store_true", help="in capital letters")

    def run(self, args, opts):
        names = sorted(self.crawler_process.spider_loader.list())
        with open(args[0], "w") as file:
            for name in names:
                file.write((name.upper() if opts.upper else name) + self.settings.get("BOT_NAME") + "\n")
