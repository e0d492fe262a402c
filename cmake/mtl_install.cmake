# install() and the package file behind find_package(mtl).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
install(TARGETS mtl EXPORT mtl_targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY include/mtl DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
set(_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/mtl)
install(EXPORT mtl_targets NAMESPACE mtl:: DESTINATION ${_package_dir})
configure_package_config_file(cmake/mtlConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/mtlConfig.cmake
                              INSTALL_DESTINATION ${_package_dir})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/mtlConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/mtlConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/mtlConfigVersion.cmake
              cmake/FindLibTorch.cmake cmake/mtl_precompile_headers.cmake DESTINATION ${_package_dir})
