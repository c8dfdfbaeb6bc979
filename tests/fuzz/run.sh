#!/usr/bin/env bash
# Runs one libFuzzer program: first over all inputs that are kept for it, then on what it makes of
# them. When it finds something, it says how to see it again and where to keep it.
# usage: run.sh PROGRAM TARGET SECONDS WORK_FOLDER   (0 seconds: only the inputs that are kept)
set -u
program=$1 target=$2 seconds=$3 work=$4
source=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$work/corpus" "$work/artifacts"
log=$work/log

# What is found goes into the first folder, so that the next run goes on where this one ended.
inputs=("$work/corpus")
for folder in "$source/corpus/$target" "$source/crashes/$target"; do
  [ -d "$folder" ] && inputs+=("$folder")
done
kept=$(find "$source/corpus/$target" "$source/crashes/$target" -type f 2>/dev/null | wc -l)
if [ "$kept" -eq 0 ]; then
  echo "there are no inputs in $source/corpus/$target"
  exit 1
fi

options=(-timeout=5 -rss_limit_mb=1024 -max_len=1024 -print_final_stats=1
         "-artifact_prefix=$work/artifacts/")
[ -f "$source/$target.dict" ] && options+=("-dict=$source/$target.dict")
if [ "$seconds" -gt 0 ]; then
  options+=("-max_total_time=$seconds")
else
  options+=(-runs=0)
fi
# A small quarantine keeps the memory near, which is worth more executions than it loses.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=16"

if ! "$program" "${options[@]}" "${inputs[@]}" >"$log" 2>&1; then
  grep -avE '^#[0-9]+[[:space:]]+(NEW|REDUCE|pulse|RELOAD) |NEW_FUNC|^(0x|INFO:)' "$log" | tail -n 60
  artifact=$(sed -n 's/^.*Test unit written to //p' "$log" | tail -n 1)
  echo
  echo "replay: $program ${artifact:-(no input was written, see $log)}"
  echo "keep:   install -D -m 644 $artifact -t $source/crashes/$target"
  exit 1
fi

runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
echo "$target: $kept inputs kept, ${runs:-0} runs, log in $log"
# A fuzzer that is stuck on its inputs proves nothing.
if [ "${runs:-0}" -lt $((kept + 20 * seconds)) ]; then
  echo "fewer than 20 runs a second"
  exit 1
fi
