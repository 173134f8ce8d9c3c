class HeaderMiddleware:
    def process_request(self, request, spider):
        request.headers["X-Named"] = "crawler"
