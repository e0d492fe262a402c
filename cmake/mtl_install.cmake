# install(), the package file behind find_package(mtl), and the one behind pkg-config.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
# Components of an installation, and packages of Debian: runtime (the shared library), development, examples.
install(TARGETS mtl EXPORT mtl_targets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime NAMELINK_COMPONENT development
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
        RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT runtime)
install(DIRECTORY include/mtl DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development)
set(_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/mtl)
install(EXPORT mtl_targets NAMESPACE mtl:: DESTINATION ${_package_dir} COMPONENT development)
configure_package_config_file(cmake/mtlConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/mtlConfig.cmake
                              INSTALL_DESTINATION ${_package_dir})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/mtlConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/mtlConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/mtlConfigVersion.cmake
              cmake/FindLibTorch.cmake cmake/mtl_probe_libtorch.cmake cmake/mtl_precompile_headers.cmake
        DESTINATION ${_package_dir} COMPONENT development)
if(MTL_TORCH_DIR)  # outside the linker's own folders: the installed library says where it found LibTorch
  set_target_properties(mtl PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
endif()

# mtl.pc says the same as the CMake target: what the target brings, in the words of a command line.
get_target_property(_includes mtl_libtorch INTERFACE_INCLUDE_DIRECTORIES)
get_target_property(_libraries mtl_libtorch INTERFACE_LINK_LIBRARIES)
get_target_property(_options mtl_libtorch INTERFACE_LINK_OPTIONS)
get_target_property(_definitions mtl_libtorch INTERFACE_COMPILE_DEFINITIONS)
set(mtl_pc_requires "eigen3 >= 3.4, nlohmann_json")
set(mtl_pc_cflags "-pthread")
set(mtl_pc_libs "-pthread")
foreach(_folder ${_includes})
  cmake_path(NORMAL_PATH _folder)
  string(REGEX REPLACE "/$" "" _folder ${_folder})
  if(NOT _folder IN_LIST CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES)  # named again they would come in the wrong order
    string(APPEND mtl_pc_cflags " -isystem ${_folder}")
  endif()
endforeach()
foreach(_definition ${_definitions})
  if(_definition)
    string(APPEND mtl_pc_cflags " -D${_definition}")
  endif()
endforeach()
if(mtl_has_images)
  string(APPEND mtl_pc_cflags " -DMTL_HAS_IMAGES=1")
endif()
foreach(_library ${_libraries})
  if(_library STREQUAL fmt::fmt)
    string(APPEND mtl_pc_requires ", fmt")
  else()
    string(APPEND mtl_pc_libs " ${_library}")
  endif()
endforeach()
foreach(_option ${_options})
  if(_option MATCHES "^LINKER:(.*)")
    string(APPEND mtl_pc_libs " -Wl,${CMAKE_MATCH_1}")
  endif()
endforeach()
if(MTL_TORCH_DIR)
  string(APPEND mtl_pc_libs " -Wl,-rpath,${MTL_TORCH_DIR}/lib")
endif()
if(MTL_SANITIZE)
  string(APPEND mtl_pc_libs " -fsanitize=${MTL_SANITIZE}")
endif()
# A static library brings nothing along: what it was compiled against has to be named, and to be there.
get_target_property(_type mtl TYPE)
if(mtl_has_images AND _type STREQUAL STATIC_LIBRARY)
  string(APPEND mtl_pc_requires ", libjpeg, libpng")
endif()
file(RELATIVE_PATH mtl_pc_to_prefix /p/${CMAKE_INSTALL_LIBDIR}/pkgconfig /p)
string(REGEX REPLACE "/$" "" mtl_pc_to_prefix ${mtl_pc_to_prefix})
configure_file(cmake/mtl.pc.in ${CMAKE_CURRENT_BINARY_DIR}/mtl.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/mtl.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)
