class PlacesAddon:
    @classmethod
    def update_pre_crawler_settings(cls, settings):
        settings.set("FROM_ADDON_EARLY", "early", "addon")

    def update_settings(self, settings):
        settings.set("FROM_ADDON", "late", "addon")
        settings.set_in_component_priority_dict("ITEM_PIPELINES", StampPipeline, 300)
        settings.setdefault_in_component_priority_dict("ITEM_PIPELINES", StampPipeline, 100)


class StampPipeline:
    @classmethod
    def from_crawler(cls, crawler):
        pipeline = cls()
        pipeline.stamp = crawler.settings["FROM_ADDON"] + crawler.settings["FROM_ADDON_EARLY"]
        return pipeline

    def process_item(self, item, spider):
        item["stamp"] = self.stamp
        return item
