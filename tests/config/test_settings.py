"""Settings are gathered in layers, typed; a misspelt name is an error, any other unknown one the project's own."""

from __future__ import annotations

from typing import Any

import pytest

from crawler.config.layers import CORE_KINDS
from crawler.config.schema import CoreSettings
from crawler.config.settings import Settings
from crawler.errors import SettingError


class Store:
    SQLITE_PATH: str = "items.db"
    BATCH: int = 10

    def process_item(self, item: Any) -> Any:
        return item


class NeedsKey:
    API_KEY: str

    def process_item(self, item: Any) -> Any:
        return item


class SpiderOfTests:
    name = "books"
    custom_settings = {"DOWNLOAD_DELAY": 2, "RETRY_TIMES": 5}


def error_of(*layers: Any, **more: Any) -> str:
    with pytest.raises(SettingError) as caught:
        Settings.load(*layers, **more)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_the_defaults_are_those_of_the_schema() -> None:
    settings = Settings.load()
    assert settings.core == CoreSettings()
    assert set(settings) == set(CORE_KINDS)
    assert settings.origin("DOWNLOAD_DELAY") == "default"


def test_later_layers_win_and_each_value_knows_its_origin() -> None:
    settings = Settings.load(
        {"DOWNLOAD_DELAY": 1, "RETRY_TIMES": 1, "DEPTH_LIMIT": 1, "BOT_NAME": "b"},
        SpiderOfTests,
        {"DEPTH_LIMIT": "3"},
        script={"RETRY_TIMES": 7},
    )
    values = {name: (settings[name], settings.origin(name)) for name in settings if settings.origin(name) != "default"}
    assert values == {
        "DOWNLOAD_DELAY": (2.0, "spider books"),
        "RETRY_TIMES": (7, "script"),
        "DEPTH_LIMIT": (3, "command line"),
        "BOT_NAME": ("b", "settings.py"),
    }


def test_update_settings_of_the_spider_is_heard() -> None:
    class Updating(SpiderOfTests):
        @classmethod
        def update_settings(cls, settings: Any) -> None:
            settings.setdefault("DEPTH_LIMIT", 4)
            settings.set("DOWNLOAD_DELAY", settings["DOWNLOAD_DELAY"] * 2, priority="spider")
            settings.update({"BOT_NAME": "u"})

    core = Settings.load({}, Updating).core
    assert (core.DOWNLOAD_DELAY, core.DEPTH_LIMIT, core.BOT_NAME, core.RETRY_TIMES) == (4.0, 4, "u", 5)


@pytest.mark.parametrize("given", [["DOWNLOAD_DELAY"], "DOWNLOAD_DELAY=1", {1: 2}])
def test_custom_settings_that_are_no_dict_of_names_are_refused_with_what_they_are(given: Any) -> None:
    class Wrong(SpiderOfTests):
        custom_settings = given

    assert "custom_settings (spider" in error_of({}, Wrong)
    assert "expected a dict of names and values, got" in error_of({}, Wrong)


def test_only_upper_case_names_of_a_module_are_settings() -> None:
    assert Settings.load({"lower": 1, "_PRIVATE": 2, "__name__": "settings"}).origins() == []


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (({"DOWNLOD_DELAY": 1},), 'DOWNLOD_DELAY (settings.py) is not a setting; did you mean "DOWNLOAD_DELAY"?'),
        (({"ITEM_PIPELINE": {}},), 'did you mean "ITEM_PIPELINES"?'),
        (({}, None, {"download_delay": "1"}), 'did you mean "DOWNLOAD_DELAY"?'),
        (({"PIPELINES": [Store], "SQLITE_PAHT": "x"},), 'did you mean "SQLITE_PATH"?'),
        (({"DOWNLAOD_DELEY": 1},), 'did you mean "DOWNLOAD_DELAY"?'),
        (({"RETRY_TIME": 1},), 'did you mean "RETRY_TIMES"?'),
        (({"IMAGE_STORE": "x"},), 'did you mean "IMAGES_STORE"?'),
        (
            ({"CONCURRENT_REQUESTS": "16"},),
            'CONCURRENT_REQUESTS (settings.py): expected a whole number, 1 or more, got "16"',
        ),
        (({}, None, {"CONCURRENT_REQUESTS": "x"}), "CONCURRENT_REQUESTS (command line): expected a whole number"),
        (({}, None, {"DOWNLOAD_DELAY": "inf"}), "DOWNLOAD_DELAY (command line): expected a number, 0 or more"),
        (({"DOWNLOAD_DELAY": float("nan")},), "DOWNLOAD_DELAY (settings.py): expected a number"),
        (({}, None, {"FAIL_ON": "strat"}), "start, callback, downloads"),
        (({}, None, {"DOWNLOADER": "faast"}), 'did you mean "fast"?'),
        (({}, None, {"LOG_LEVEL": "DEBUGG"}), 'did you mean "DEBUG"?'),
        (({"PIPELINES": ["no.such.Stage"]},), 'PIPELINES (settings.py): cannot import "no.such.Stage"'),
        (({"PIPELINES": [f"{__name__}.Stor"]},), 'did you mean "Store"?'),
        (({"PIPELINES": [3]},), "expected a class or a dotted path to one, got int"),
        (({"PIPELINES": "Store"},), "expected a list"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(layers: tuple[Any, ...], message: str) -> None:
    assert message in error_of(*layers)


OWN = """USER_AGENTS PROXY_LIST DB_NAME MYSQL_HOST REDIS_HOST LOG_DIR DOWNLOAD_DIR MONGO_URI DOWNLOAD_DELAYS FEED_DIR
USER_AGENT_2 MY_USER_AGENT RETRY_TIMES_API PROXY TIMEOUT EMAIL_FROM GMAIL_USER
SFTP_USER HTTP_PASSWORD SMTP_PASSWORD"""


@pytest.mark.parametrize("name", OWN.split())
def test_a_name_that_is_near_no_known_one_is_the_projects_own(name: str) -> None:
    class Own(SpiderOfTests):
        custom_settings = {name: "of the spider"}

    for settings in (
        Settings.load({name: ["any", 1]}),
        Settings.load(None, Own),
        Settings.load(None, None, {name: "3"}),
        Settings({name: 3}),
    ):
        assert settings[name] == settings.get(name, 5) == settings.own()[name]
        assert name in settings
        assert settings.origin(name) != "default"
    assert Settings.load(None, None, {name: "3"}).getint(name) == 3


def test_a_setting_that_is_not_there_reads_as_none() -> None:
    settings = Settings.load()
    assert settings["MONGO_URI"] is None
    assert settings.get("MONGO_URI", "default") == "default"
    assert "MONGO_URI" not in settings


OPTIONAL = """BIND_ADDRESS DOWNLOAD_BIND_ADDRESS FEED_EXPORT_ENCODING FEED_EXPORT_FIELDS FEED_URI HTTPAUTH_USER JOBDIR
JOB_NAME LOG_FILE ROBOTSTXT_USER_AGENT WARC_FILE"""


@pytest.mark.parametrize("name", OPTIONAL.split())
def test_an_empty_text_of_the_environment_sets_nothing(name: str) -> None:
    assert Settings({name: ""}).core == Settings.load(None, None, {name: ""}).core == Settings().core


def test_a_setting_of_scrapy_without_effect_is_readable() -> None:
    settings = Settings.load({"MAIL_HOST": "mail.example"})
    assert settings["MAIL_HOST"] == "mail.example"
    assert "MAIL_HOST" in settings.warnings[0]


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(SettingError) as caught:
        Settings.load({"DOWNLOD_DELAY": 1, "CONCURRENT_REQUEST": 3}, None, {"USER_AGNET": "x", "RETRY_TIMES": "x"})
    assert [line.split()[0] for line in str(caught.value).splitlines()] == [
        "DOWNLOD_DELAY",
        "CONCURRENT_REQUEST",
        "USER_AGNET",
        "RETRY_TIMES",
    ]


@pytest.mark.parametrize("name", ["STATS_CLASSS", "FEEDSS", "XDOWNLOAD_DELAY", "LLOG_LEVEL", "FTP_PASWORD"])
def test_a_slip_at_either_end_is_no_longer_form_of_a_name(name: str) -> None:
    with pytest.raises(SettingError, match=f"{name} .* is not a setting; did you mean"):
        Settings.load({name: "x"})


def test_components_declare_their_settings() -> None:
    settings = Settings.load({"PIPELINES": [Store], "SQLITE_PATH": "a.db"}, None, {"BATCH": "20"})
    assert settings.of(Store) == {"SQLITE_PATH": "a.db", "BATCH": 20}
    assert settings["BATCH"] == 20
    assert settings.origin("SQLITE_PATH") == "settings.py"
    assert "BATCH (command line): expected a whole number" in error_of({"PIPELINES": [Store]}, None, {"BATCH": "x"})


def test_components_are_named_by_class_by_path_and_on_the_command_line() -> None:
    path = f"{__name__}.Store"
    for layers in [({"PIPELINES": [Store]},), ({"PIPELINES": [path]},), ({}, None, {"PIPELINES": path})]:
        settings = Settings.load(*layers)
        assert [Store] == settings.core.PIPELINES
        assert settings["SQLITE_PATH"] == "items.db"


def test_a_declared_setting_without_default_must_be_given() -> None:
    settings = Settings.load({"PIPELINES": [NeedsKey]})
    with pytest.raises(SettingError, match="NeedsKey needs the setting API_KEY"):
        settings.of(NeedsKey)
    assert Settings.load({"PIPELINES": [NeedsKey], "API_KEY": "k"}).of(NeedsKey) == {"API_KEY": "k"}


def test_a_stage_of_another_layer_still_declares_its_settings() -> None:
    settings = Settings.load({"PIPELINES": [Store], "BATCH": 5}, None, {"PIPELINES": ""})
    assert settings.core.PIPELINES == []
    assert settings["BATCH"] == 5


def test_classes_that_nothing_uses_are_asked_only_for_unknown_names() -> None:
    asked: list[int] = []

    def also() -> list[type]:
        asked.append(1)
        return [Store]

    Settings.load({"DOWNLOAD_DELAY": 1}, also=also)
    assert not asked
    assert Settings.load({"BATCH": 5}, also=also)["BATCH"] == 5
    assert asked


def test_scrapy_s_getters() -> None:
    settings = Settings({"DOWNLOAD_DELAY": 1.5, "RETRY_HTTP_CODES": [500]})
    assert settings.getint("DOWNLOAD_DELAY") == 1
    assert settings.getfloat("DOWNLOAD_DELAY") == 1.5
    assert settings.getbool("COOKIES_ENABLED") is True
    assert settings.getlist("RETRY_HTTP_CODES") == [500]
    assert settings.getdict("DEFAULT_REQUEST_HEADERS")["Accept-Language"] == "en"
    assert settings.get("MY_OWN") is None
    assert settings.getint("MY_OWN", 3) == 3
    assert settings.getlist("MY_OWN", ["a"]) == ["a"]
    assert settings["MY_OWN"] is None


def test_settings_from_a_script_do_not_parse_texts() -> None:
    with pytest.raises(SettingError, match=r"RETRY_TIMES \(script\)"):
        Settings({"RETRY_TIMES": "3"})


def test_settings_made_before_the_spider_was_named() -> None:
    settings = Settings({"RETRY_TIMES": 7}).with_spider(SpiderOfTests)
    assert (settings.core.RETRY_TIMES, settings.core.DOWNLOAD_DELAY) == (7, 2.0)
    assert settings.origin("DOWNLOAD_DELAY") == "spider books"
