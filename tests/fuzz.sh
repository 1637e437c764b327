#!/usr/bin/env bash
# Fuzzes every target, starting from the committed seeds: four readers for the given seconds (60), the others
# for a third of that, two at a time. More folders of seeds may follow the seconds. A finding stands in fuzz/artifacts, is
# printed with its bytes, and fails. Our code has no `unsafe`, so no sanitizer is asked for: overflows and bounds are
# checked anyhow, and twice as many inputs are tried. The toolchain is the stable one with its unstable switches open,
# which is what libFuzzer's coverage needs.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
shift || true
more=("$@")
export RUSTC_BOOTSTRAP=1
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/fuzz
mkdir -p "$CARGO_TARGET_DIR"
cargo fuzz build --sanitizer none
built=$CARGO_TARGET_DIR/$(rustc -vV | sed -n 's/^host: //p')/release

# again TARGET FILE: what stopped the clock or filled the memory must do so again alone, or the machine stood still.
again() {
  case $(basename "$2") in
    timeout-* | oom-*) "$built/$1" -timeout=10 -rss_limit_mb=2048 "$2" >/dev/null 2>&1 && return 1 ;;
  esac
  echo "$1: $2"
  base64 -w 0 "$2" | head -c 100000
  echo
}

fuzz() {
  local target=$1 seconds=$2 corpus=$CARGO_TARGET_DIR/corpus/$1 log=$CARGO_TARGET_DIR/$1.log
  local artifacts=fuzz/artifacts/$1 stalled=0 words=()
  case $target in pdf_reader | intake_reader | verify_reader | changes_reader) words=(-dict=fuzz/pdf.dict) ;; esac
  mkdir -p "$corpus" "$artifacts"
  rm -f "$artifacts"/*
  if "$built/$target" "$corpus" "fuzz/seeds/$target" "${more[@]}" "${words[@]}" -max_total_time="$seconds" -max_len=65536 -timeout=10 \
       -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$artifacts/" >"$log" 2>&1; then
    echo "$target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs in $seconds s, nothing found"
    return 0
  fi
  for file in "$artifacts"/*; do
    if [ -e "$file" ] && ! again "$target" "$file"; then stalled=$((stalled + 1)); fi
  done
  if [ "$stalled" -gt 0 ] && [ "$stalled" = "$(find "$artifacts" -type f | wc -l)" ]; then
    echo "$target: the machine stood still; the input that was under way passes alone, $artifacts"
    return 0
  fi
  grep -v '^#' "$log" | tail -25
  return 1
}

failed=0 passed=0 running=()
collect() {
  for process in "${running[@]}"; do
    if wait "$process"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
  done
  running=()
}
for target in $(sed -n 's/^name = "\(.*_reader\)"/\1/p' fuzz/Cargo.toml); do
  case $target in
    pdf_reader | intake_reader | soap_reader | cms_reader) fuzz "$target" "$seconds" & ;;
    *) fuzz "$target" $((seconds / 3)) & ;;
  esac
  running+=($!)
  [ ${#running[@]} -lt 2 ] || collect
done
collect
echo "fuzz: $passed passed, $failed failed"
[ "$failed" = 0 ]
