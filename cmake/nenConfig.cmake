# find_package(nen) comes here: it finds liburing and llhttp as nen's own build does (llhttp's
# packaged sources are built in the user's project where there is no library), then nen::nen.
include("${CMAKE_CURRENT_LIST_DIR}/requirements.cmake")
nen_find_requirements()
if(nen_missing)
  set(nen_FOUND FALSE)
  set(nen_NOT_FOUND_MESSAGE "${nen_missing_sentence}")
  return()
endif()
if(NOT TARGET nen::nen)
  include("${CMAKE_CURRENT_LIST_DIR}/nenTargets.cmake")
  target_link_libraries(nen::nen INTERFACE nen::llhttp nen::liburing)
endif()
