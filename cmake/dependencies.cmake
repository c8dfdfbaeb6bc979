# Finds everything that this configuration needs. With NEN_INSTALL_DEPS (the presets set it) it names
# what is missing and installs it with apt-get first; without, the first missing thing is an error
# of one sentence that names its package.
include("${CMAKE_CURRENT_LIST_DIR}/requirements.cmake")

# The package of each thing on Debian. llhttp's is found out when it is needed.
set(nen_package_liburing liburing-dev)
set(nen_package_catch2 catch2)
set(nen_package_benchmark libbenchmark-dev)
set(nen_package_zlib zlib1g-dev)
set(nen_package_cares libc-ares-dev pkg-config)
set(nen_package_hiredis libhiredis-dev pkg-config)
set(nen_package_clang++ clang)
set(nen_package_curl curl)
set(nen_package_h2load nghttp2-client)
set(nen_package_node nodejs)
set(nen_package_python3 python3)
set(nen_package_wrk wrk)
set(nen_package_nginx nginx)
set(nen_package_redis-server redis-server)
set(nen_package_haproxy haproxy)
set(nen_package_chromium chromium)
set(nen_package_prometheus prometheus)
set(nen_package_promtool prometheus)
set(nen_package_valgrind valgrind)
set(nen_test_tools python3 curl wrk h2load node nginx haproxy chromium redis-server prometheus promtool
    valgrind clang++)
# Libraries of tests, by a file of theirs.
set(nen_package_python-websockets python3-websockets)
set(nen_package_node-ws node-ws)
set(nen_package_python-prometheus-client python3-prometheus-client)
set(nen_file_python-websockets python3/dist-packages/websockets/__init__.py)
set(nen_file_node-ws nodejs/ws/package.json)
set(nen_file_python-prometheus-client python3/dist-packages/prometheus_client/__init__.py)
set(nen_package_valgrind-headers valgrind)
set(nen_file_valgrind-headers valgrind/callgrind.h)
set(nen_test_libraries python-websockets python-prometheus-client node-ws valgrind-headers)

# nen_pkg_config(<name> <VARIABLE> <module> <sentence>...): makes PkgConfig::<VARIABLE>, for what has
# no module of CMake's. A macro, so that what it finds is seen where the others are looked for.
macro(nen_pkg_config name variable module)
  find_package(PkgConfig QUIET)
  if(PKG_CONFIG_FOUND)
    pkg_check_modules(${variable} QUIET IMPORTED_TARGET ${module})
  endif()
  if(NOT ${variable}_FOUND)
    list(APPEND nen_missing ${name})
    set(nen_sentence_${name} ${ARGN})
  endif()
endmacro()

# Sets nen_missing and nen_missing_sentence to all that is not there, tools last.
macro(nen_find_dependencies)
  nen_find_requirements()
  if(NEN_WITH_ZLIB)
    find_package(ZLIB QUIET)
    if(NOT ZLIB_FOUND)
      list(APPEND nen_missing zlib)
      set(nen_sentence_zlib
          "nen::deflate needs zlib: install zlib1g-dev (Debian, Ubuntu), zlib-devel (Fedora), zlib "
          "(Arch) or zlib-dev (Alpine), or set NEN_WITH_ZLIB=OFF.")
    endif()
  endif()
  if(NEN_WITH_CARES)
    nen_pkg_config(
      cares CARES libcares
      "nen::dns needs c-ares and pkg-config: install libc-ares-dev and pkg-config (Debian, "
      "Ubuntu), c-ares-devel (Fedora), c-ares (Arch) or c-ares-dev (Alpine), or set "
      "NEN_WITH_CARES=OFF.")
  endif()
  if(NEN_WITH_HIREDIS AND NEN_BUILD_EXAMPLES)
    nen_pkg_config(
      hiredis HIREDIS hiredis
      "examples/07_redis_counter needs hiredis and pkg-config: install libhiredis-dev and "
      "pkg-config (Debian, Ubuntu), hiredis-devel (Fedora), hiredis (Arch) or hiredis-dev "
      "(Alpine), or set NEN_WITH_HIREDIS=OFF.")
  endif()
  if(NEN_BUILD_TESTS)
    find_package(Catch2 QUIET)
    if(NOT Catch2_FOUND)
      list(APPEND nen_missing catch2)
      set(nen_sentence_catch2
          "nen's tests need Catch2 2.13 or newer: install catch2 (Debian, Ubuntu, Arch), "
          "catch-devel (Fedora) or catch2-3 (Alpine), or set NEN_BUILD_TESTS=OFF.")
    endif()
  endif()
  if(NEN_BUILD_BENCHMARKS)
    find_package(benchmark QUIET)
    if(NOT benchmark_FOUND)
      list(APPEND nen_missing benchmark)
      set(nen_sentence_benchmark
          "nen's benchmarks need Google Benchmark: install libbenchmark-dev (Debian, Ubuntu), "
          "google-benchmark-devel (Fedora), benchmark (Arch) or benchmark-dev (Alpine), "
          "or set NEN_BUILD_BENCHMARKS=OFF.")
    endif()
  endif()
  if(NEN_BUILD_TESTS)
    foreach(tool IN LISTS nen_test_tools)
      find_program(NEN_TOOL_${tool} ${tool})
      mark_as_advanced(NEN_TOOL_${tool})
      if(NOT NEN_TOOL_${tool} AND (NEN_REQUIRE_TOOLS OR NEN_INSTALL_DEPS))
        list(APPEND nen_missing ${tool})
        set(nen_sentence_${tool}
            "nen's tests need the program ${tool}: install ${nen_package_${tool}} (its name on "
            "Debian and Ubuntu), or set NEN_REQUIRE_TOOLS=OFF to skip the tests that use it.")
      endif()
    endforeach()
    foreach(library IN LISTS nen_test_libraries)
      find_file(NEN_TOOL_${library} ${nen_file_${library}} PATHS /usr/lib /usr/share)
      mark_as_advanced(NEN_TOOL_${library})
      if(NOT NEN_TOOL_${library} AND (NEN_REQUIRE_TOOLS OR NEN_INSTALL_DEPS))
        list(APPEND nen_missing ${library})
        set(nen_sentence_${library}
            "nen's tests need ${library}: install ${nen_package_${library}} (its name on Debian "
            "and Ubuntu), or set NEN_REQUIRE_TOOLS=OFF to skip the tests that use it.")
      endif()
    endforeach()
  endif()
endmacro()

# Installs the Debian packages of what nen_missing names.
function(nen_install_missing)
  nen_apt_find(has_apt)
  if(NOT has_apt)
    return()
  endif()
  list(JOIN nen_missing ", " names)
  message(STATUS "Missing: ${names}. Installing with apt-get (NEN_INSTALL_DEPS is on).")
  nen_apt_get(update)
  set(packages "")
  foreach(name IN LISTS nen_missing)
    if(name STREQUAL "llhttp")
      # Debian 13 has the library, Debian 12 only its sources.
      execute_process(
        COMMAND apt-cache show libllhttp-dev
        RESULT_VARIABLE status
        OUTPUT_QUIET ERROR_QUIET)
      if(status EQUAL 0)
        list(APPEND packages libllhttp-dev)
      else()
        list(APPEND packages node-llhttp)
      endif()
    else()
      list(APPEND packages ${nen_package_${name}})
    endif()
  endforeach()
  nen_apt_install(${packages})
endfunction()

nen_find_dependencies()
if(nen_missing AND NEN_INSTALL_DEPS)
  nen_install_missing()
  nen_find_dependencies()
endif()
foreach(name IN LISTS nen_missing)
  if(nen_missing_sentence STREQUAL "" AND (NEN_REQUIRE_TOOLS
                                           OR NOT name IN_LIST nen_test_tools
                                           AND NOT name IN_LIST nen_test_libraries))
    string(CONCAT nen_missing_sentence ${nen_sentence_${name}})
  endif()
endforeach()
if(nen_missing_sentence)
  message(FATAL_ERROR "${nen_missing_sentence}")
endif()
message(STATUS "nen: liburing ${Liburing_VERSION}, llhttp ${Llhttp_VERSION} (${Llhttp_KIND})")
