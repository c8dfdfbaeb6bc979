#!/usr/bin/env bash
# Pools lie in .bss and the program is small: size.sh PROGRAM DATA_KIB FILE_KIB
# or checks itself: size.sh --self-test COMPILER
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

check() {
  local program=$1 data_limit=$(($2 * 1024)) file_limit=$(($3 * 1024)) data bytes
  data=$(LC_ALL=C size -A "$program" | awk '$1 == ".data" { print $2 }')
  strip -o "$folder/stripped" "$program"
  bytes=$(stat -c %s "$folder/stripped")
  echo ".data: ${data:-0} bytes (limit $data_limit); stripped: $bytes bytes (limit $file_limit)"
  if [ "${data:-0}" -gt "$data_limit" ]; then
    echo "too much in .data: is a pool's zero not its free state?"
    return 1
  fi
  if [ "$bytes" -gt "$file_limit" ]; then
    echo "the program is too big"
    return 1
  fi
}

self_test() {
  local compiler=$1
  echo 'char pool[100000]; int main() { return pool[5]; }' > "$folder/right.cpp"
  echo 'char pool[100000] = {1}; int main() { return pool[5]; }' > "$folder/data.cpp"
  echo 'extern const char text[500000] = {1}; int main() { return text[5]; }' > "$folder/big.cpp"
  for name in right data big; do
    "$compiler" -o "$folder/$name" "$folder/$name.cpp"
  done
  check "$folder/right" 4 400 || { echo "this is small"; return 1; }
  ! check "$folder/data" 4 400 || { echo "this has a pool in .data"; return 1; }
  ! check "$folder/big" 4 400 || { echo "this is big"; return 1; }
}

if [ "$1" = --self-test ]; then
  self_test "$2"
else
  check "$@"
fi
