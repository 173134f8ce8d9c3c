"""Prices that a script brings from elsewhere."""

from __future__ import annotations

from tests.docs.served import Answer, Asked

NEEDS = ("chromium",)
SLOW = True
PAGE = """<!DOCTYPE html><title>Prices</title><ul></ul><script>
fetch("/prices.json").then(answer => answer.json()).then(prices => {
  for (const price of prices) {
    document.querySelector("ul").insertAdjacentHTML("beforeend", `<li class=price>${price}</li>`);
  }
});
</script>"""


def answer(asked: Asked) -> Answer | str | int:
    if asked.path == "/prices.json":
        return Answer('["4.20", "17.50"]', headers={"Content-Type": "application/json"})
    return PAGE if asked.path == "/" else 404
