# What nen itself cannot be used without, and the one sentence to say when it is not there.
# Part of the installed package too: nenConfig.cmake finds the same things the same way.

# Makes nen::liburing and nen::llhttp. Sets nen_missing to the names of what was not found, and
# nen_missing_sentence to what to do about the first of them. A macro, because llhttp's find module
# may have to enable the C language, which no function may.
macro(nen_find_requirements)
  set(nen_missing "")
  set(nen_missing_sentence "")
  list(PREPEND CMAKE_MODULE_PATH "${nen_module_dir}")
  find_package(Liburing 2.3 QUIET MODULE)
  find_package(Llhttp 8.1 QUIET MODULE)
  list(REMOVE_AT CMAKE_MODULE_PATH 0)
  if(NOT Llhttp_FOUND)
    list(APPEND nen_missing llhttp)
    string(
      CONCAT nen_missing_sentence
             "nen needs llhttp 8.1 or newer: install libllhttp-dev (Debian 13, Ubuntu), "
             "node-llhttp (Debian 12), llhttp-devel (Fedora), llhttp (Arch) or "
             "llhttp-dev (Alpine).")
  endif()
  if(NOT Liburing_FOUND)
    list(APPEND nen_missing liburing)
    string(CONCAT nen_missing_sentence
                  "nen needs liburing 2.3 or newer: install liburing-dev (Debian, Ubuntu, Alpine), "
                  "liburing-devel (Fedora) or liburing (Arch).")
  endif()
endmacro()

set(nen_module_dir "${CMAKE_CURRENT_LIST_DIR}")
