"""Where does the setting SCHEMES find the downloader for ``ftp:`` by its documented name?"""

from crawler.download.schemes.ftp import FtpDownloader

__all__ = ["FtpDownloader"]
