"""What a phone's platform brings, kept in a folder: the device key, a memory, the time.

A phone keeps the key in hardware and the session's token in its key store; a test keeps both in files of mode 0600.
"""

import base64
import datetime
import os
import pathlib
import socket
import types

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature


def replace(path: pathlib.Path, data: bytes) -> None:
    """Writes a private file whole or not at all."""
    fresh = path.with_suffix(".new")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def device_key(api: types.ModuleType, folder: pathlib.Path):
    """A P-256 key in `folder`, made on first use, behind the core's `DeviceKey`."""

    class FileKey(api.DeviceKey):
        def __init__(self) -> None:
            path = folder / "device-key.pem"
            if not path.exists():
                encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
                made = ec.generate_private_key(ec.SECP256R1())
                replace(path, made.private_bytes(encoding, form, serialization.NoEncryption()))
            self._key = serialization.load_pem_private_key(path.read_bytes(), None)

        async def public_jwk(self):
            numbers = self._key.public_key().public_numbers()
            return api.PublicJwk(x=_coordinate(numbers.x), y=_coordinate(numbers.y))

        async def sign(self, message: bytes) -> bytes:
            r, s = decode_dss_signature(self._key.sign(message, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    return FileKey()


def keep(api: types.ModuleType, folder: pathlib.Path):
    """The core's memory in a file."""

    class FileKeep(api.Keep):
        _path = folder / "memory.json"

        def load(self) -> str | None:
            return self._path.read_text(encoding="utf-8") if self._path.exists() else None

        def save(self, text: str) -> None:
            replace(self._path, text.encode())

    return FileKeep()


def now(clock: str | None) -> datetime.datetime:
    """The time: the machine's, or that of a test's world (`unix:PATH`, one line of microseconds since 1970)."""
    if clock is None:
        return datetime.datetime.now(datetime.UTC)
    with socket.socket(socket.AF_UNIX) as stream:
        stream.settimeout(5)
        stream.connect(clock.removeprefix("unix:"))
        microseconds = int(stream.makefile().readline())
    return datetime.datetime.fromtimestamp(0, datetime.UTC) + datetime.timedelta(microseconds=microseconds)


def world_clock(api: types.ModuleType, clock: str):
    """The core's clock in a test whose world has a time of its own."""

    class WorldClock(api.Clock):
        def now(self) -> datetime.datetime:
            return now(clock)

    return WorldClock()


def _coordinate(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode()
