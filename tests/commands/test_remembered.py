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
