# How nen's own examples, tests and benchmarks are built. Nothing here reaches a user of nen::nen.
if(PROJECT_IS_TOP_LEVEL)
  if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type" FORCE)
  endif()
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
endif()
set(CMAKE_CXX_EXTENSIONS OFF)
# Functions and lines, which is all that a stack trace shows: describing every variable as well
# makes a build a quarter slower. Debug builds do.
add_compile_options($<$<CONFIG:RelWithDebInfo>:-g1>)

# Every program goes into one folder, so that scripts which drive them need one path.
set(nen_program_dir "${CMAKE_BINARY_DIR}/bin")

set(nen_warnings -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror=switch)
if(NEN_WERROR)
  # What a newer Catch2 or Google Benchmark deprecates must not break the build.
  list(APPEND nen_warnings -Werror -Wno-error=deprecated-declarations)
endif()

# A sanitizer has to see everything in the process, llhttp's sources too.
if(NEN_SANITIZE)
  set(nen_sanitize -fsanitize=${NEN_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  if(NEN_SANITIZE MATCHES "undefined" AND CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    # This check marks the beginning of functions in a way that coroutines cannot be marked.
    list(APPEND nen_sanitize -fno-sanitize=function)
  endif()
  add_compile_options(${nen_sanitize})
  add_link_options(-fsanitize=${NEN_SANITIZE})
  if(TARGET nen_llhttp)
    target_compile_options(nen_llhttp PRIVATE ${nen_sanitize})
  endif()
  if(NEN_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC warns that its thread sanitizer does not model std::atomic_thread_fence.
    list(APPEND nen_warnings -Wno-tsan)
  endif()
endif()

# Several threads, and programs that end by a signal, count into the same files.
if(NEN_COVERAGE)
  add_compile_options(--coverage -fprofile-update=atomic -O0)
  add_link_options(--coverage)
  find_program(NEN_GCOVR gcovr)
  mark_as_advanced(NEN_GCOVR)
  if(NOT NEN_GCOVR AND NEN_INSTALL_DEPS)
    nen_apt_install(gcovr)
    find_program(NEN_GCOVR gcovr REQUIRED)
  endif()
  add_custom_target(
    coverage_report
    COMMAND
      "${NEN_GCOVR}" --root "${PROJECT_SOURCE_DIR}" --filter "${PROJECT_SOURCE_DIR}/include/nen/"
      --exclude-throw-branches --exclude-unreachable-branches --sort-percentage -j 2
      --print-summary --gcov-ignore-parse-errors "--exclude-branches-by-pattern=.*NEN_ASSERT.*"
      --fail-under-line 95 --fail-under-branch 85 "${CMAKE_BINARY_DIR}"
    VERBATIM USES_TERMINAL)
endif()

# nen_add_program(<target> <program name> <source>...): an executable of nen's own.
function(nen_add_program target name)
  add_executable(${target} ${ARGN})
  target_link_libraries(${target} PRIVATE nen::nen)
  target_compile_options(${target} PRIVATE ${nen_warnings})
  set_target_properties(${target} PROPERTIES OUTPUT_NAME "${name}" RUNTIME_OUTPUT_DIRECTORY
                                                                   "${nen_program_dir}")
endfunction()
