#!/usr/bin/env bash
# Fuzzes every target for the given seconds (60), starting from the committed seeds. A finding is copied to fuzz/artifacts
# and fails. The toolchain is the stable one with its unstable switches open, which is what libFuzzer's coverage needs.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
export RUSTC_BOOTSTRAP=1
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/fuzz
failed=0 passed=0
for target in $(sed -n 's/^name = "\(.*_reader\)"/\1/p' fuzz/Cargo.toml); do
  corpus=$CARGO_TARGET_DIR/corpus/$target
  mkdir -p "$corpus" "fuzz/seeds/$target"
  if cargo fuzz run --sanitizer address "$target" "$corpus" "fuzz/seeds/$target" -- \
       -max_total_time="$seconds" -max_len=65536 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 2>"$CARGO_TARGET_DIR/$target.log"; then
    passed=$((passed + 1))
    echo "$target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$CARGO_TARGET_DIR/$target.log") inputs, nothing found"
  else
    failed=$((failed + 1))
    tail -40 "$CARGO_TARGET_DIR/$target.log"
  fi
done
echo "fuzz: $passed passed, $failed failed"
[ "$failed" = 0 ]
