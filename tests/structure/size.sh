#!/usr/bin/env bash
# Pools lie in .bss and the program is small: size.sh PROGRAM
set -eu
program=$1
data_limit=4096
file_limit=$((400 * 1024))

data=$(LC_ALL=C size -A "$program" | awk '$1 == ".data" { print $2 }')
stripped=$(mktemp)
trap 'rm -f "$stripped"' EXIT
strip -o "$stripped" "$program"
bytes=$(stat -c %s "$stripped")

echo ".data: ${data:-0} bytes (limit $data_limit); stripped: $bytes bytes (limit $file_limit)"
[ "${data:-0}" -le "$data_limit" ] || { echo "too much in .data: is a pool's zero not its free state?"; exit 1; }
[ "$bytes" -le "$file_limit" ] || { echo "the program is too big"; exit 1; }
