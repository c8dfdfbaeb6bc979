# Configures a user's project on a machine that seems to lack one dependency. That must fail with one
# sentence that names the packages: cmake -D... -P missing_dependency.cmake
file(REMOVE_RECURSE "${BINARY}")
execute_process(
  COMMAND
    "${CMAKE_COMMAND}" -S "${SOURCE}" -B "${BINARY}" -G "${GENERATOR}"
    "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCONSUMER_MODE=${MODE}" "-DNEN_SOURCE=${NEN_SOURCE}"
    "-DCMAKE_PREFIX_PATH=${PREFIX}" "-DCMAKE_DISABLE_FIND_PACKAGE_${MISSING}=ON"
  RESULT_VARIABLE status
  OUTPUT_VARIABLE output
  ERROR_VARIABLE output)
# CMake breaks long sentences into lines of its own.
string(REGEX REPLACE "[ \t\r\n]+" " " flat "${output}")
if(status EQUAL 0)
  message(FATAL_ERROR "${output}\nconfiguring went well without ${MISSING}")
endif()
string(FIND "${flat}" "${WORDS}" at)
if(at EQUAL -1)
  message(FATAL_ERROR "${output}\nthis does not say: ${WORDS}")
endif()
string(REGEX MATCHALL "CMake Error" errors "${output}")
list(LENGTH errors count)
if(NOT count EQUAL 1)
  message(FATAL_ERROR "${output}\n${count} errors instead of one")
endif()
message(STATUS "said: ${WORDS}")
