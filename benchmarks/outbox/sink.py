"""A mail server that costs next to nothing: it takes everything and counts. `python -m benchmarks.outbox.sink PORT`."""

import asyncio
import sys

taken = connections = 0


class Session(asyncio.Protocol):
    """Speaks just enough SMTP. Outside of SMTP, the line COUNT asks for the numbers of mails and connections."""

    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.waiting, self.in_data = transport, b"", False
        transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self.waiting += data
        while (end := self.waiting.find(b"\r\n.\r\n" if self.in_data else b"\r\n")) >= 0:
            if self.in_data:
                self.waiting = self.waiting[end + 5 :]
                self.take()
            else:
                line, self.waiting = self.waiting[:end], self.waiting[end + 2 :]
                self.answer(line[:4].upper())

    def take(self) -> None:
        global taken
        taken, self.in_data = taken + 1, False
        self.transport.write(b"250 OK\r\n")

    def answer(self, verb: bytes) -> None:
        global connections  # noqa: PLW0603
        if verb in (b"EHLO", b"HELO"):
            connections += 1
            self.transport.write(b"250-sink\r\n250 PIPELINING\r\n")
            return
        if verb == b"COUN":
            self.transport.write(f"{taken} {connections}\r\n".encode())
        elif verb == b"DATA":
            self.in_data = True
            self.transport.write(b"354 go on\r\n")
        elif verb == b"QUIT":
            self.transport.write(b"221 bye\r\n")
            self.transport.close()
        else:
            self.transport.write(b"250 OK\r\n")


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Session, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
