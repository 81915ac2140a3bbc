"""A receiver that costs next to nothing: it answers at once and counts. `python -m benchmarks.webhooks.sink`.

Says its port on standard output. A request to /count is answered with how many there were so far.
"""

import asyncio

taken = 0
ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


class Session(asyncio.Protocol):
    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.waiting = transport, b""

    def data_received(self, data: bytes) -> None:
        global taken  # noqa: PLW0603
        self.waiting += data
        while (head := self.waiting.find(b"\r\n\r\n")) >= 0:
            length = int(self.waiting[:head].lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
            if len(self.waiting) < head + 4 + length:
                return
            count, self.waiting = self.waiting.startswith(b"GET"), self.waiting[head + 4 + length :]
            if count:
                body = str(taken).encode()
                self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
            else:
                taken += 1
                self.transport.write(ANSWER)


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Session, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
