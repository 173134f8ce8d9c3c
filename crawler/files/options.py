"""What do the settings of a stage for files say?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


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

    def for_fsspec(self) -> dict[str, Any]:
        """Return the options of fsspec for the store."""
        acl: dict[str, Any] = {}
        if self.store.startswith(("s3:", "s3a:")) and self.s3_acl:
            acl = {"s3_additional_kwargs": {"ACL": self.s3_acl}}
        return {**acl, **self.store_options}
