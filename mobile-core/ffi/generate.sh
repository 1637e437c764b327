#!/usr/bin/env bash
# Writes the Python, Kotlin and Swift bindings of the mobile core into mobile-core/ffi/bindings.
#   generate.sh          writes them
#   generate.sh --check  exits 1 if those committed differ from what the code gives
set -euo pipefail
cd "$(dirname "$0")/../.."

committed=mobile-core/ffi/bindings
out=$committed
if [ "${1:-}" = --check ]; then
  out=$(mktemp -d)
  trap 'rm -rf "$out"' EXIT
fi

cargo build --quiet --package trinhky-mobile-ffi --features cli
target=${CARGO_TARGET_DIR:-target}/debug
library=$target/libtrinhky_mobile_ffi.so
[ -f "$library" ] || library=$target/libtrinhky_mobile_ffi.dylib
for language in python kotlin swift; do
  # Formatters of the platforms' own differ from machine to machine, so none is run.
  "$target/uniffi-bindgen" generate --language "$language" --out-dir "$out/$language" --no-format "$library"
done

if [ "$out" != "$committed" ]; then
  diff -r "$committed" "$out" >/dev/null || {
    echo "the committed bindings differ from the code: run mobile-core/ffi/generate.sh" >&2
    exit 1
  }
  echo "bindings: as committed"
fi
