#!/usr/bin/env bash
# Makes the pictures of README and docs anew from a real run: needs chromium and pdftoppm besides what the demo needs.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=docs/pictures
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
work=$(mktemp -d)
# The demo runs in a group of its own, so that everything it started ends with it.
set -m
trap '[ -z "${demo:-}" ] || kill -- "-$demo" 2>/dev/null; rm -rf "$work"' EXIT

python3 $here/cast.py record $here/demo.cast -- make demo ONCE=1
python3 $here/cast.py draw $here/demo.cast $here/demo.svg
pdftoppm -r 64 -png -singlefile target/demo/released.pdf $here/released

make demo PORT="${PORT:-8181}" >"$work/log" 2>&1 &
demo=$!
for _ in $(seq 180); do
  if grep -q Ctrl-C "$work/log"; then break; fi
  kill -0 "$demo" 2>/dev/null || { cat "$work/log"; exit 1; }
  sleep 1
done
address() { sed -n "s/^$1: *\(http[^ ]*\).*/\1/p" "$work/log"; }
shoot() { # name, size, address
  "$browser" --headless=new --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$work/browser" \
    --virtual-time-budget=15000 --window-size="$2" --screenshot="$here/$1.webp" "$3" >/dev/null 2>&1
}
shoot world 1000,760 "$(address 'Điện thoại, SIM')"
shoot seal-window 1280,900 "$(address 'Cửa sổ đóng dấu')"
ls -l $here
