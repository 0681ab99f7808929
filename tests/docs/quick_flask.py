"""The `flask` command without its start: a process that has imported everything forks for every call.

The documents hold more than a hundred examples that call `flask`, and starting it is most of what each would take. The command
on the examples' path hands over arguments, environment, folder and standard streams, and waits for the exit status. What comes
after the imports is done anew in each call, in a process of its own: settings are read, the application is made.
"""

from __future__ import annotations

import array
import contextlib
import io
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

CLIENT = """#!{python} -SE
import array, json, os, signal, socket, struct, sys
line = socket.socket(socket.AF_UNIX)
line.connect({address!r})
asked = json.dumps([sys.argv, dict(os.environ), os.getcwd()]).encode()
streams = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))]
line.sendmsg([struct.pack("!I", len(asked))], streams)
line.sendall(asked)
pid = struct.unpack("!I", line.recv(4))[0]
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda number, frame: os.kill(pid, number))
ended = line.recv(1)
sys.exit(ended[0] if ended else 1)
"""


@contextlib.contextmanager
def quick_flask(folder: Path) -> Iterator[Path]:
    """A folder to put on the path, whose `flask` answers while the block lasts."""
    address = folder / "flask.socket"
    commands = folder / "commands"
    commands.mkdir()
    command = commands / "flask"
    command.write_text(CLIENT.format(python=sys.executable, address=str(address)))
    command.chmod(0o755)
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.docs.quick_flask", str(address)], cwd=ROOT, start_new_session=True
    )
    until = time.monotonic() + 30
    while not address.exists():
        assert server.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)
    try:
        yield commands
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(10)


def serve(address: str) -> None:
    """Import everything, then fork for every call until killed."""
    import tempfile

    from app import create_app

    with tempfile.TemporaryDirectory() as folder:
        create_app({}, instance_path=Path(folder))
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(16)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        line, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _answer(line)
        line.close()


def _answer(line: socket.socket) -> None:
    """One call, in this process. Never returns."""
    code = 1
    try:
        head, ancillary, *_ = line.recvmsg(4, socket.CMSG_SPACE(3 * array.array("i").itemsize))
        streams = array.array("i")
        streams.frombytes(ancillary[0][2])
        arguments, environment, folder = json.loads(_read(line, struct.unpack("!I", head)[0]))
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        sys.stdin, sys.stdout, sys.stderr = (
            io.TextIOWrapper(open(number, mode, closefd=False))  # noqa: SIM115 - they last as long as the process
            for number, mode in _STREAMS
        )
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        line.sendall(struct.pack("!I", os.getpid()))
        code = _run(arguments)
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        with contextlib.suppress(OSError):
            line.sendall(bytes([code & 255]))
        os._exit(code & 255)


_STREAMS = ((0, "rb"), (1, "wb"), (2, "wb"))


def _run(arguments: list[str]) -> int:
    from flask.cli import main

    sys.argv = arguments
    sys.modules["__main__"].__package__ = None  # so that the command calls itself by its name
    try:
        main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return 0


def _read(line: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        found += line.recv(count - len(found))
    return found


if __name__ == "__main__":
    serve(sys.argv[1])
