#!/usr/bin/env bash
# Compiles one file that must fail with its sentence: expect.sh FILE.cpp COMPILER HEADER [FLAG]...
# HEADER is <nen/nen.hpp>, and HEADER.gch, where it is there, what the compiler has made of it.
# or checks itself: expect.sh --self-test COMPILER
set -u

# Compilers escape quotes and break lines differently; what counts is the words.
words() { tr -d '\\"'"'" | tr -s '[:space:]' ' '; }

check() {
  local file=$1 compiler=$2 header=$3 sentence output
  shift 3
  [ -e "$header.gch" ] && grep -q '^#include <nen/nen.hpp>' "$file" && set -- "$@" -include "$header"
  # Without the excerpts from the source, only what the compiler itself says can match.
  local quiet=-fno-diagnostics-show-caret
  case $compiler in *clang*) quiet=-fno-caret-diagnostics ;; esac
  # Where a function ends is looked at by GCC only when it makes code.
  local depth=-fsyntax-only
  grep -q '^// expect: non-void function' "$file" && depth='-S -o /dev/null'
  # A compiler that goes on after a mistake until all memory is taken is to fail: it may have 4 GiB.
  # shellcheck disable=SC2086
  output=$(ulimit -v 4194304 && "$compiler" "$quiet" -std=c++20 "$@" $depth "$file" 2>&1)
  local status=$?

  case $file in
    *_ok.cpp)
      [ $status -eq 0 ] && return 0
      printf '%s\n\nFAILED: this must compile\n' "$output"
      return 1
      ;;
  esac
  sentence=$(sed -n '1s,^// expect: *,,p' "$file")
  if [ -z "$sentence" ]; then
    echo "FAILED: the first line of $file is not // expect: <sentence>"
    return 1
  fi
  if [ $status -eq 0 ]; then
    echo "FAILED: this compiles, and should say: $sentence"
    return 1
  fi
  if printf '%s' "$output" | grep -q 'out of memory'; then
    echo "FAILED: $compiler took all memory that it may have"
    return 1
  fi
  if ! printf '%s' "$output" | words | grep -qF -- "$(printf '%s' "$sentence" | words)"; then
    printf '%s\n\nFAILED: the compiler did not say: %s\n' "$output" "$sentence"
    return 1
  fi
}

self_test() {
  local compiler=$1
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  printf '// expect: two is "not" three\nstatic_assert(2 == 3, "two is \\"not\\" three");\n' \
    > "$folder/right.cpp"
  printf '// expect: another sentence\nstatic_assert(2 == 3, "a sentence"); // another sentence\n' \
    > "$folder/other.cpp"
  printf '// expect: a sentence\nint main() {}\n' > "$folder/compiles.cpp"
  printf 'static_assert(false);\n' > "$folder/silent.cpp"
  printf 'int main() {}\n' > "$folder/right_ok.cpp"
  printf 'static_assert(false);\n' > "$folder/wrong_ok.cpp"
  local name failed=0
  for name in right right_ok; do
    check "$folder/$name.cpp" "$compiler" none || { echo "$name should pass"; failed=1; }
  done
  for name in other compiles silent wrong_ok; do
    if check "$folder/$name.cpp" "$compiler" none > /dev/null; then
      echo "$name should not pass"
      failed=1
    fi
  done
  return $failed
}

if [ "$1" = --self-test ]; then
  self_test "$2"
else
  check "$@"
fi
