"""What do the settings of a stage for files say, and which store do they name?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crawler.config.schema import CoreSettings
from crawler.errors import SettingError
from crawler.files.stores import FolderStore, Store


@dataclass(frozen=True, slots=True)
class Options:
    """What the settings of one stage say; ``prefix`` is what their names begin with, FILES or IMAGES.

    ``expires`` in days; ``name``: "hash", "offered", or a function.
    """

    prefix: str
    store: str
    store_options: Mapping[str, Any]
    s3_acl: str
    urls_field: str
    result_field: str
    expires: float
    name: Any

    @classmethod
    def of(cls, prefix: str, settings: Mapping[str, Any]) -> Options:
        """Return the options from the values of the settings, by name."""
        names = "STORE STORE_OPTIONS STORE_S3_ACL URLS_FIELD RESULT_FIELD EXPIRES NAME"
        return cls(prefix, *(settings[f"{prefix}_{name}"] for name in names.split()))

    @property
    def setting(self) -> str:
        """The setting that names the store."""
        return f"{self.prefix}_STORE"

    def make_store(self, core: CoreSettings) -> Store:
        """Return the store that the settings name.

        Raises SettingError, UsageError for a URL that is none, and ModuleNotFoundError without the extra ``remote``.
        """
        if not self.store:
            raise SettingError(f"{self.setting} must be a folder or a URL such as s3://bucket/images, not empty")
        if "://" not in self.store or self.store.startswith("file://"):
            return FolderStore(Path(self.store.removeprefix("file://")), setting=self.setting)
        from crawler.files.remote import RemoteStore

        acl: dict[str, Any] = {}
        if self.store.startswith(("s3:", "s3a:")) and self.s3_acl:
            acl = {"s3_additional_kwargs": {"ACL": self.s3_acl}}
        return RemoteStore(self.store, core, {**acl, **self.store_options}, setting=self.setting)
