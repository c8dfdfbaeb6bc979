# Builds and runs the unit tests of some folders with sanitizers: cmake -D... -P build_and_run.cmake
# The build stays, so that a second run compiles only what has changed.
set(targets "")
foreach(folder IN LISTS FOLDERS)
  list(APPEND targets nen_${folder}_tests)
endforeach()
list(JOIN FOLDERS "|" names)
# What takes time is compiling: without optimisation it takes a third. Threads have to be fast
# enough to meet.
set(optimization -O0)
if(SANITIZE STREQUAL "thread")
  set(optimization -O1)
endif()
set(ENV{NEN_SEEDS} 300)
foreach(
  step
  "-S;${SOURCE};-B;${BINARY};-G;${GENERATOR};-DCMAKE_CXX_COMPILER=${COMPILER};-DCMAKE_BUILD_TYPE=RelWithDebInfo;-DCMAKE_CXX_FLAGS_RELWITHDEBINFO=${optimization} -g1;-DNEN_SANITIZE=${SANITIZE};-DNEN_SLOW_ASSERTS=ON;-DNEN_BUILD_EXAMPLES=OFF;-DNEN_BUILD_BENCHMARKS=OFF;-DNEN_INSTALL=OFF"
  "--build;${BINARY};--target;${targets}")
  execute_process(COMMAND "${CMAKE_COMMAND}" ${step} RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "failed: cmake ${step}")
  endif()
endforeach()
cmake_path(GET CMAKE_COMMAND PARENT_PATH tools)
execute_process(
  COMMAND "${tools}/ctest" --output-on-failure -R "^unit\\.(${names})$" --timeout 600
  WORKING_DIRECTORY "${BINARY}"
  RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "a test failed with -fsanitize=${SANITIZE}")
endif()
