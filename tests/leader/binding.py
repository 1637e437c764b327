"""Loads the committed Python bindings against a built library.

The generated module loads the library that lies beside itself, so both are linked into a folder of their own.
"""

import importlib
import pathlib
import sys
import tempfile
import types

_REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
_COMMITTED = _REPOSITORY / "mobile-core/ffi/bindings/python/trinhky_mobile_ffi.py"


def load(library: pathlib.Path | None) -> types.ModuleType:
    """The bindings over `library`, or over the debug build of this clone."""
    library = (library or _REPOSITORY / "target/debug/libtrinhky_mobile_ffi.so").resolve()
    if not library.is_file():
        raise SystemExit(f"{library} is not there; run: cargo build -p trinhky-mobile-ffi")
    with tempfile.TemporaryDirectory(prefix="trinhky-leader-") as folder:
        beside = pathlib.Path(folder)
        (beside / _COMMITTED.name).symlink_to(_COMMITTED)
        (beside / library.name).symlink_to(library)
        sys.path.insert(0, folder)
        try:
            return importlib.import_module(_COMMITTED.stem)
        finally:
            sys.path.remove(folder)
