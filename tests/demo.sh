#!/usr/bin/env bash
# Builds what the demo needs and runs it. ONCE=1 ends after the release; PDF=file takes a document of yours;
# NUMBERING=before_sign numbers before the leader signs; JUDGES=1 asks the foreign judges too.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build -q --locked -p trinhky-server -p trinhky-world -p trinhky-seal-agent -p trinhky-mobile-ffi -p trinhky-flows
arguments=(--out target/demo --port "${PORT:-8080}" --numbering "${NUMBERING:-after_sign}")
[ -n "${ONCE:-}" ] && arguments+=(--once)
[ -n "${PDF:-}" ] && arguments+=(--pdf "$PDF")
[ -n "${JUDGES:-}" ] && arguments+=(--judges)
exec "${CARGO_TARGET_DIR:-target}/debug/trinhky-demo" "${arguments[@]}"
