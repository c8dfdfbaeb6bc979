# Finds llhttp 8.1 or newer: Llhttp_FOUND, Llhttp_VERSION, Llhttp_KIND and the target nen::llhttp.
# A packaged library comes first (Debian 13, Fedora, Arch, Alpine); else the C sources that Debian 12
# ships in node-llhttp are built. Part of the installed package too, so it uses nothing of nen's own
# build.
if(TARGET nen::llhttp)
  set(Llhttp_FOUND TRUE)
  return()
endif()

find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
  pkg_check_modules(PC_LLHTTP QUIET libllhttp)
endif()
find_path(Llhttp_INCLUDE_DIR NAMES llhttp.h HINTS ${PC_LLHTTP_INCLUDE_DIRS})
find_library(Llhttp_LIBRARY NAMES llhttp HINTS ${PC_LLHTTP_LIBRARY_DIRS})
find_path(
  Llhttp_SOURCE_DIR
  NAMES llhttp.c
  PATH_SUFFIXES share/llhttp
  PATHS /usr)
find_path(
  Llhttp_SOURCE_INCLUDE_DIR
  NAMES llhttp.h
  PATH_SUFFIXES share/include/llhttp
  PATHS /usr)
mark_as_advanced(Llhttp_INCLUDE_DIR Llhttp_LIBRARY Llhttp_SOURCE_DIR Llhttp_SOURCE_INCLUDE_DIR)

if(Llhttp_LIBRARY AND Llhttp_INCLUDE_DIR)
  set(Llhttp_KIND "library")
  set(_nen_header "${Llhttp_INCLUDE_DIR}/llhttp.h")
  set(_nen_required Llhttp_LIBRARY Llhttp_INCLUDE_DIR)
else()
  set(Llhttp_KIND "sources")
  set(_nen_header "${Llhttp_SOURCE_INCLUDE_DIR}/llhttp.h")
  set(_nen_required Llhttp_SOURCE_DIR Llhttp_SOURCE_INCLUDE_DIR)
endif()

set(Llhttp_VERSION "")
if(EXISTS "${_nen_header}")
  file(STRINGS "${_nen_header}" _nen_lines REGEX "define[ \t]+LLHTTP_VERSION_")
  if("${_nen_lines}" MATCHES "MAJOR[ \t]+([0-9]+).*MINOR[ \t]+([0-9]+).*PATCH[ \t]+([0-9]+)")
    set(Llhttp_VERSION "${CMAKE_MATCH_1}.${CMAKE_MATCH_2}.${CMAKE_MATCH_3}")
  endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  Llhttp
  REQUIRED_VARS ${_nen_required}
  VERSION_VAR Llhttp_VERSION)

if(Llhttp_FOUND AND Llhttp_KIND STREQUAL "library")
  add_library(nen::llhttp UNKNOWN IMPORTED GLOBAL)
  set_target_properties(
    nen::llhttp PROPERTIES IMPORTED_LOCATION "${Llhttp_LIBRARY}"
                           INTERFACE_INCLUDE_DIRECTORIES "${Llhttp_INCLUDE_DIR}")
elseif(Llhttp_FOUND)
  get_property(_nen_languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  if(NOT "C" IN_LIST _nen_languages)
    enable_language(C)
  endif()
  if(NOT TARGET nen_llhttp)
    add_library(
      nen_llhttp STATIC EXCLUDE_FROM_ALL
      "${Llhttp_SOURCE_DIR}/api.c" "${Llhttp_SOURCE_DIR}/http.c" "${Llhttp_SOURCE_DIR}/llhttp.c")
    target_include_directories(nen_llhttp SYSTEM PUBLIC "${Llhttp_SOURCE_INCLUDE_DIR}")
    # llhttp 8 chooses between its strict and its loose parser when it is compiled.
    target_compile_definitions(nen_llhttp PUBLIC LLHTTP_STRICT_MODE=1)
    # A parser of 10,000 lines is not what a Debug build is about: it is always optimised, and its
    # warnings are its own.
    target_compile_options(nen_llhttp PRIVATE -O3 -w)
    # Hidden, so that calls within it stay direct although it may become part of a shared library:
    # that is worth a tenth of its instructions.
    set_target_properties(nen_llhttp PROPERTIES POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET
                                                hidden)
  endif()
  add_library(nen::llhttp ALIAS nen_llhttp)
endif()
