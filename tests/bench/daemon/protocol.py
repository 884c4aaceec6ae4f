# SPDX-License-Identifier: Apache-2.0
"""PORT ANSWER: the usual asyncio server, with a Protocol object for each connection."""

from __future__ import annotations

import asyncio
import os
import sys

ANSWER = os.fsencode(sys.argv[2])


class Greeter(asyncio.Protocol):
    """Answers one client."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        transport.write(ANSWER)
        transport.close()


async def main() -> None:
    """Serve until killed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Greeter, "0.0.0.0", int(sys.argv[1]), backlog=4096)
    await server.serve_forever()


asyncio.run(main())
