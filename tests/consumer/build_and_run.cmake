# Configures, builds and runs a user's project: cmake -D... -P build_and_run.cmake
file(REMOVE_RECURSE "${BINARY}")
string(REPLACE ";" " " FLAGS "${FLAGS}")
foreach(
  step
  "-S;${SOURCE};-B;${BINARY};-G;${GENERATOR};-DCMAKE_CXX_COMPILER=${COMPILER};-DCMAKE_BUILD_TYPE=Debug;-DCONSUMER_MODE=${MODE};-DNEN_SOURCE=${NEN_SOURCE};-DCMAKE_PREFIX_PATH=${PREFIX};-DCMAKE_CXX_FLAGS=${FLAGS}"
  "--build;${BINARY}")
  execute_process(COMMAND "${CMAKE_COMMAND}" ${step} RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "failed: cmake ${step}")
  endif()
endforeach()
execute_process(COMMAND "${BINARY}/consumer" RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "the program ended with ${status}")
endif()
