"""Where does the setting SCHEMES find the downloader for ``s3:`` by its documented name?"""

from crawler.download.schemes.s3 import S3Downloader

__all__ = ["S3Downloader"]
