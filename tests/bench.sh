#!/usr/bin/env bash
# The benchmarks: files of five sizes in two styles beside `openssl dgst` and pyHanko, then two hundred documents at once.
# Rows go to target/bench/results.json; a missing row is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."
cache=${TRINHKY_CACHE:-$HOME/.cache/trinhky}
python=$cache/venv/bin/python
release=${CARGO_TARGET_DIR:-target}/release
out=target/bench
mkdir -p "$out"

cargo build -q --locked --release -p trinhky-bench -p trinhky-flows -p trinhky-server -p trinhky-world -p trinhky-seal-agent

if [ ! -f "$cache/bench/key.pem" ]; then
  mkdir -p "$cache/bench"
  openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj '/CN=bench' \
    -addext keyUsage=critical,digitalSignature,nonRepudiation \
    -keyout "$cache/bench/key.pem" -out "$cache/bench/cert.pem" 2>/dev/null
fi
page=${PAGE:-}
if [ -z "$page" ]; then
  page=$cache/bench/page.pdf
  "$release/trinhky-world" demo-pdf "$page"
fi
PYTHONPATH=tests "$python" -m bench.inputs "$page" "$cache/bench/inputs" >&2
"$release/trinhky-bench" files "$cache/bench/inputs" --cert "$cache/bench/cert.pem" --key "$cache/bench/key.pem" \
  --python "$python" --runs "${RUNS:-5}" --out "$out/files.json"
TRINHKY_PYTHON=$python "$release/trinhky-load" --leaders "${LEADERS:-200}" --out "$out/job.json"
"$python" - "$out" <<'PY'
import json, pathlib, sys
out = pathlib.Path(sys.argv[1])
rows = json.loads((out / "files.json").read_text()) + json.loads((out / "job.json").read_text())
(out / "results.json").write_text(json.dumps(rows, indent=1) + "\n")
print(f"{len(rows)} rows in {out}/results.json", file=sys.stderr)
PY
