# Finds liburing 2.3 or newer: Liburing_FOUND, Liburing_VERSION and the target nen::liburing.
# Part of the installed package too, so it uses nothing of nen's own build.
if(TARGET nen::liburing)
  set(Liburing_FOUND TRUE)
  return()
endif()

find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
  pkg_check_modules(PC_LIBURING QUIET liburing)
endif()
find_path(Liburing_INCLUDE_DIR NAMES liburing.h HINTS ${PC_LIBURING_INCLUDE_DIRS})
find_library(Liburing_LIBRARY NAMES uring HINTS ${PC_LIBURING_LIBRARY_DIRS})
mark_as_advanced(Liburing_INCLUDE_DIR Liburing_LIBRARY)

# Headers say their version from 2.4 on. For older ones, functions that came with 2.3 tell.
set(Liburing_VERSION "")
if(Liburing_INCLUDE_DIR)
  set(_nen_header "${Liburing_INCLUDE_DIR}/liburing/io_uring_version.h")
  if(EXISTS "${_nen_header}")
    file(STRINGS "${_nen_header}" _nen_lines REGEX "define[ \t]+IO_URING_VERSION_M(AJOR|INOR)")
    if("${_nen_lines}" MATCHES "MAJOR[ \t]+([0-9]+).*MINOR[ \t]+([0-9]+)")
      set(Liburing_VERSION "${CMAKE_MATCH_1}.${CMAKE_MATCH_2}")
    endif()
  else()
    file(STRINGS "${Liburing_INCLUDE_DIR}/liburing.h" _nen_lines
         REGEX "io_uring_prep_send_zc|io_uring_register_sync_cancel")
    if(_nen_lines)
      set(Liburing_VERSION "2.3")
    else()
      set(Liburing_VERSION "2.2")
    endif()
  endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  Liburing
  REQUIRED_VARS Liburing_LIBRARY Liburing_INCLUDE_DIR
  VERSION_VAR Liburing_VERSION)

if(Liburing_FOUND)
  add_library(nen::liburing UNKNOWN IMPORTED GLOBAL)
  set_target_properties(
    nen::liburing PROPERTIES IMPORTED_LOCATION "${Liburing_LIBRARY}"
                             INTERFACE_INCLUDE_DIRECTORIES "${Liburing_INCLUDE_DIR}")
endif()
