#!/usr/bin/env bash
# The benchmarks: files of many sizes in two styles beside `openssl dgst` and the peers (pyHanko, pdfsig, PDFBox, EU DSS),
# then two hundred documents at once on both engines, urgent ones among them, and what the server takes to start and to
# rest.
# Rows go to target/bench/results.json and plots beside it; a missing row is a failure, and so is a missed target.
set -euo pipefail
cd "$(dirname "$0")/.."
cache=${TRINHKY_CACHE:-$HOME/.cache/trinhky}
python=$cache/venv/bin/python
release=${CARGO_TARGET_DIR:-target}/release
out=target/bench
inputs=$cache/bench/inputs-2
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
PYTHONPATH=tests "$python" -m bench.inputs "$page" "$inputs" >&2
# What misses a target is named when the rest has run.
status=0
key=(--cert "$cache/bench/cert.pem" --key "$cache/bench/key.pem")
"$release/trinhky-bench" files "$inputs" "${key[@]}" \
  --python "$python" --judges "$cache/judges" --runs "${RUNS:-5}" --peer-limit "${PEER_LIMIT:-60}" --out "$out/files.json" || status=1
"$release/trinhky-bench" instructions "$inputs" "${key[@]}" || status=1
corpora=${TRINHKY_CORPORA:-../shared/corpora/public}
if [ -d "$corpora" ]; then "$release/trinhky-bench" worst "$corpora" || status=1; fi
TRINHKY_PYTHON=$python "$release/trinhky-load" --leaders "${LEADERS:-200}" --out "$out/job.json" || status=1
"$python" - "$out" <<'PY'
import json, pathlib, sys
out = pathlib.Path(sys.argv[1])
rows = json.loads((out / "files.json").read_text()) + json.loads((out / "job.json").read_text())
due = ["job/sqlite", "job/postgres", "push/urgent", "serve/start", "serve/idle", "serve/upload"]
due += [f"{operation}/{size}/{style}" for operation in ("ingest", "provision", "prepare", "complete", "verify")
        for size in ("100kB", "5MB", "50MB", "200MB", "300k") for style in ("table", "stream")]
missing = sorted(set(due) - {row["name"] for row in rows})
broken = [row["name"] for row in rows if row.get("limit") is not None and row["max"] > row["limit"]]
(out / "results.json").write_text(json.dumps(rows, indent=1) + "\n")
print(f"{len(rows)} rows in {out}/results.json", file=sys.stderr)
if missing or broken:
    sys.exit(f"missing rows: {missing}; above their limits: {broken}")
PY
exit "$status"
