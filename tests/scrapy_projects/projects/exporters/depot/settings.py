BOT_NAME = "depot"

SPIDER_MODULES = ["depot.spiders"]
NEWSPIDER_MODULE = "depot.spiders"

ROBOTSTXT_OBEY = False
CONCURRENT_REQUESTS_PER_DOMAIN = 1

# Configure item pipelines
ITEM_PIPELINES = {
    "depot.pipelines.CheckPipeline": 100,
    "depot.pipelines.AsyncPipeline": 200,
    "depot.pipelines.DeferredPipeline": 210,
    "depot.pipelines.SidePipeline": 220,
    "depot.pipelines.SqlitePipeline": 300,
    "depot.pipelines.JsonWriterPipeline": 400,
    "depot.pipelines.PerKindExportPipeline": 500,
    "depot.pipelines.EveryExporterPipeline": 600,
    "depot.pipelines.OffPipeline": None,
    "depot.pipelines.NotConfiguredPipeline": 700,
}
SQLITE_FILE = "items.db"
DEFAULT_DROPITEM_LOG_LEVEL = "INFO"
