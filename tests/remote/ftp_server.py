"""An FTP server of one user, that may hang up in the middle of a file: PORT FOLDER LIMIT."""

from __future__ import annotations

import logging
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import DTPHandler, FTPHandler
from pyftpdlib.servers import FTPServer

port, folder, limit = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])


class Cutting(DTPHandler):
    """Hangs up once a file has had so many bytes, the first time."""

    cut = False

    def handle_read_event(self):
        self.handle_read()
        if limit and not Cutting.cut and self.get_transmitted_bytes() > limit:
            Cutting.cut = True
            self.cmd_channel.close()


class Handler(FTPHandler):
    authorizer = DummyAuthorizer()
    dtp_handler = Cutting
    auth_failed_timeout = 0


Handler.authorizer.add_user("ann", "se/cret", folder, perm="elradfmwMT")
logging.basicConfig(level=logging.ERROR)
FTPServer(("127.0.0.1", port), Handler).serve_forever()
