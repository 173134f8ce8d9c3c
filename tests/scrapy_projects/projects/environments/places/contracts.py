from scrapy.contracts import Contract
from scrapy.exceptions import ContractFail


class HasTitle(Contract):
    """Demonstrate a contract: @has_title WORD"""

    name = "has_title"

    def pre_process(self, response):
        if self.args[0] not in response.css("title::text").get():
            raise ContractFail("no %s" % self.args[0])
