"""RFC 6238 with its defaults (SHA-1, 30 seconds, six digits), which is what authenticator apps do."""

import base64
import hmac
import struct


def totp(secret: str, unix_seconds: float) -> str:
    """The code for a base32 secret at that time."""
    padded = secret.strip().replace(" ", "").upper()
    key = base64.b32decode(padded + "=" * (-len(padded) % 8))
    mac = hmac.digest(key, struct.pack(">Q", int(unix_seconds) // 30), "sha1")
    offset = mac[-1] & 0x0F
    number = struct.unpack(">I", mac[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"
