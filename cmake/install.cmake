# Install rules: the headers, and a package for find_package(nen).
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(nen_config_dir "${CMAKE_INSTALL_DATADIR}/cmake/nen")
install(DIRECTORY include/nen DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/nen")
install(TARGETS nen EXPORT nenTargets)
if(NEN_WITH_ZLIB)
  install(TARGETS nen_deflate EXPORT nenTargets)
endif()
if(NEN_WITH_CARES)
  install(TARGETS nen_dns EXPORT nenTargets)
endif()
install(
  EXPORT nenTargets
  NAMESPACE nen::
  DESTINATION "${nen_config_dir}")
write_basic_package_version_file(
  "${CMAKE_CURRENT_BINARY_DIR}/nenConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(
  FILES "${CMAKE_CURRENT_BINARY_DIR}/nenConfigVersion.cmake"
        cmake/nenConfig.cmake
        cmake/requirements.cmake
        cmake/FindLiburing.cmake
        cmake/FindLlhttp.cmake
  DESTINATION "${nen_config_dir}")
