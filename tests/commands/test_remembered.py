"""What of a command does a job keep?"""

from __future__ import annotations

from crawler.commands.options import RunOptions, recall, remember


def test_a_job_keeps_no_password_of_a_store() -> None:
    settings = {
        "FEEDS": {"ftp://ann:pw@h/x.jl": {"overwrite": True}},
        "FILES_STORE": "s3://KEY:se/cret@bucket/files",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "STORE_CREDENTIALS": "ftp://ann:pw@h",
        "DOWNLOAD_DELAY": "1",
    }
    kept = recall("x", remember("books", RunOptions(settings, {}, None), file=None)).settings
    assert kept == {
        "FEEDS": {"ftp://ann:***@h/x.jl": {"overwrite": True}},
        "FILES_STORE": "s3://KEY:***@bucket/files",
        "DOWNLOAD_DELAY": "1",
    }


def test_feeds_given_as_json_lose_their_secrets_too() -> None:
    typed = '{"s3://b/x.jl": {"storage_options": {"key": "K", "secret": "S"}, "fields": {"token": "T"}}}'
    kept = recall("x", remember("books", RunOptions({"FEEDS": typed}, {}, None), file=None)).settings
    assert kept["FEEDS"] == {
        "s3://b/x.jl": {"storage_options": {"key": "K", "secret": "***"}, "fields": {"token": "T"}}
    }


def test_a_job_does_not_remember_where_its_first_run_listened() -> None:
    listens = {"STATUS_ENABLED": "true", "STATUS_HOST": "0.0.0.0", "STATUS_SOCKET": "page.socket", "STATUS_PORT": 8001,
               "STATUS_CONTROL": True, "STATUS_TOKEN": "0123456789abcdef", "CONSOLE_ENABLED": True,
               "CONSOLE_HOST": "0.0.0.0", "CONSOLE_PORT": "6022"}  # fmt: skip
    options = RunOptions({**listens, "DOWNLOAD_DELAY": "1"}, {}, None)
    assert recall("x", remember("books", options, file=None)).settings == {"DOWNLOAD_DELAY": "1"}
