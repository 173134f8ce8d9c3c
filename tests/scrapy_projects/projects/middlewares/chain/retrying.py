from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.downloadermiddlewares.retry import RetryMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.utils.response import response_status_message


class CaptchaRetryMiddleware(RetryMiddleware):
    def process_response(self, request, response, spider=None):
        if request.meta.get("dont_retry", False):
            return response
        if response.status in self.retry_http_codes:
            reason = response_status_message(response.status)
            return self._retry(request, reason) or response
        if b"captcha" in response.body:
            request.headers["X-Solved"] = "yes"
            return self._retry(request, "captcha") or response
        return response


class NoLoginRedirectMiddleware(RedirectMiddleware):
    def process_response(self, request, response, spider=None):
        if b"/login" in response.headers.get("Location", b""):
            raise IgnoreRequest("a login is wanted")
        try:
            return super().process_response(request, response)
        except TypeError:
            return super().process_response(request, response, spider)
