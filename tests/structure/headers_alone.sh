#!/usr/bin/env bash
# Compiles every generated unit (one header each): headers_alone.sh COMPILER FOLDER [FLAG]...
set -u
compiler=$1
folder=$2
shift 2
failed=0
count=0
for unit in "$folder"/*.cpp; do
  header=$(sed -n '1s/#include <\(.*\)>/\1/p' "$unit")
  # The unit of a header that has been renamed since may still lie there.
  [ -e "${NEN_SOURCE_DIR}/include/$header" ] || continue
  count=$((count + 1))
  if ! "$compiler" "$@" -fsyntax-only "$unit"; then
    echo "FAILED: <$header> does not compile alone with $compiler"
    failed=$((failed + 1))
  fi
done
echo "$count headers, $failed failed"
[ "$count" -gt 0 ] && [ "$failed" -eq 0 ]
