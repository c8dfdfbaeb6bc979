#!/usr/bin/env bash
# Runs a server in the foreground of a terminal: serve.sh PROGRAM [ARGUMENT]...
#
# Ctrl-C goes to every process in the terminal's foreground group. Under `cmake --build` that is
# cmake and make as well, and cmake kills its children at once, so the server could not drain. With
# job control the server gets the foreground for itself, Ctrl-C reaches it alone, and everybody
# above waits for it to return.
set -u

# Fields 5 and 8 of /proc/PID/stat: this process's group, and the terminal's foreground group.
in_foreground() {
  local stat fields
  stat=$(< "/proc/$$/stat")
  read -r -a fields <<< "${stat##*) }"
  [ "${fields[2]}" = "${fields[5]}" ]
}

if in_foreground && { : < /dev/tty; } 2> /dev/null; then
  set -m
  "$@" < /dev/tty
  exit $?
fi
exec "$@"
