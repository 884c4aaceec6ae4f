# SPDX-License-Identifier: Apache-2.0
"""QUEUE PORT ANSWER: the article's design, a thread for each connection."""

from __future__ import annotations

import os
import socketserver
import sys


class Greeter(socketserver.BaseRequestHandler):
    """Answers one client."""

    def handle(self) -> None:
        self.request.sendall(os.fsencode(sys.argv[3]))


class Server(socketserver.ThreadingTCPServer):
    """Made as the standard library means it, but for the length of the queue."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = int(sys.argv[1])


Server(("", int(sys.argv[2])), Greeter).serve_forever()
