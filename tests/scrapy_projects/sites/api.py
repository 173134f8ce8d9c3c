"""What does an API answer: pages of JSON, statuses on demand, and what was sent?"""

from __future__ import annotations

from tests.scrapy_projects.sites import Answer, Asked, path, query, shown, to_json


def answer(asked: Asked) -> Answer | int:
    """Answer as the API does."""
    words = path(asked).strip("/").split("/")[1:]
    match words:
        case ["things"]:
            number = int(query(asked)["page"])
            rows = [{"id": 10 * number + each, "name": f"thing {each}"} for each in range(3)]
            return to_json({"things": rows, "next": f"/v1/things?page={number + 1}" if number < 3 else None})
        case ["things", number]:
            return to_json({"id": int(number), "row": shown(asked).get("x-row")})
        case ["things", _, "extra"]:
            return to_json({"extra": shown(asked).get("x-extra")}, 200 if words[1][-1] != "2" else 404)
        case ["query"]:
            return to_json({"got": asked.body.decode()})
        case ["status", status]:
            return to_json({"status": status}, int(status))
        case ["empty"]:
            return to_json({"rows": [1] if query(asked)["n"] == "110" else []})
        case ["large"]:
            return Answer("x" * 200_000)
        case ["missing"]:
            return to_json({"error": "missing"}, 404)
        case _ if words:
            return to_json({"method": asked.method, "body": asked.body.decode(), "curl": shown(asked).get("x-curl")})
    return 404
