# SPDX-License-Identifier: Apache-2.0
"""PORT ANSWER: a thread for each connection, with a backlog that is long enough."""

from __future__ import annotations

import os
import socketserver
import sys


class Greeter(socketserver.BaseRequestHandler):
    """Answers one client."""

    def handle(self) -> None:
        self.request.sendall(os.fsencode(sys.argv[2]))


class Server(socketserver.ThreadingTCPServer):
    """The standard library's server with a longer queue."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 4096


Server(("", int(sys.argv[1])), Greeter).serve_forever()
