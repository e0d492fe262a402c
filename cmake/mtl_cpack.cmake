# cpack -G DEB: libmtl0, libmtl-dev and mtl-examples, of a shared build with the distribution's LibTorch (scripts/debian.sh);
# cpack -G TGZ: the same three as archives.
set(CPACK_PACKAGE_NAME mtl)
set(CPACK_PACKAGE_VENDOR "mtl")
set(CPACK_PACKAGE_CONTACT "mtl maintainers <mtl@example.org>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL runtime development)
if(MTL_BUILD_EXAMPLES)
  list(APPEND CPACK_COMPONENTS_ALL examples)
endif()
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_ARCHIVE_COMPONENT_INSTALL ON)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY "=")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_ENABLE_COMPONENT_DEPENDS OFF)
# dpkg-shlibdeps asks where the examples' library comes from: from the package beside.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR})
set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME libmtl${PROJECT_VERSION_MAJOR})
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_RUNTIME_DESCRIPTION "Shared library: tasks, ways of sharing, ways of turning many losses into one
update, the loop around them, and an honest answer to whether it helped.")
# The linker's cache is renewed by dpkg's trigger rather than by scripts of the package.
file(WRITE ${PROJECT_BINARY_DIR}/debian/triggers "activate-noawait ldconfig\n")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA ${PROJECT_BINARY_DIR}/debian/triggers)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libmtl-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SHLIBDEPS OFF)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
    "libmtl${PROJECT_VERSION_MAJOR} (= ${PROJECT_VERSION}), libtorch-dev, libeigen3-dev (>= 3.4), libfmt-dev, nlohmann-json3-dev")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_RECOMMENDS "libopenblas0-openmp")
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION "Headers, CMake package, pkg-config file: what a program needs to be compiled
with mtl, by find_package(mtl) in CMake or by pkg-config.")
set(CPACK_DEBIAN_EXAMPLES_PACKAGE_NAME mtl-examples)
set(CPACK_DEBIAN_EXAMPLES_PACKAGE_SECTION misc)
set(CPACK_DEBIAN_EXAMPLES_PACKAGE_DEPENDS "libmtl${PROJECT_VERSION_MAJOR} (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_EXAMPLES_PACKAGE_RECOMMENDS "gnuplot-nox, libopenblas0-openmp")
set(CPACK_DEBIAN_EXAMPLES_DESCRIPTION "Example programs: tomorrow's weather in Tokyo, breeds of cats and dogs, a
table of your own, and more, with sources and data in /usr/share/mtl/examples.")
foreach(_pair runtime:libmtl${PROJECT_VERSION_MAJOR} development:libmtl-dev examples:mtl-examples)
  string(REPLACE ":" ";" _pair ${_pair})
  list(GET _pair 0 _component)
  list(GET _pair 1 _package)
  install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${_package} RENAME copyright
          COMPONENT ${_component} EXCLUDE_FROM_ALL)
endforeach()
include(CPack)
