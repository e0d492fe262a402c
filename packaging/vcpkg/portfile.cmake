# An overlay port: vcpkg install mtl --overlay-ports=packaging/vcpkg, with MTL_TORCH_DIR in the environment. vcpkg's own libtorch
# is passed over: mtl links the folder of pytorch.org's download or of `pip install torch`, which brings its fmt.
if(NOT DEFINED ENV{MTL_TORCH_DIR})
  message(FATAL_ERROR "Set MTL_TORCH_DIR to a LibTorch folder (include/, lib/) and VCPKG_KEEP_ENV_VARS=MTL_TORCH_DIR")
endif()
get_filename_component(SOURCE_PATH ${CMAKE_CURRENT_LIST_DIR}/../.. ABSOLUTE)
vcpkg_cmake_configure(SOURCE_PATH ${SOURCE_PATH}
  OPTIONS -DMTL_TORCH_DIR=$ENV{MTL_TORCH_DIR} -DMTL_BUILD_TESTS=OFF -DMTL_BUILD_EXAMPLES=OFF -DMTL_INSTALL=ON)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH lib/cmake/mtl)
vcpkg_fixup_pkgconfig()
file(REMOVE_RECURSE ${CURRENT_PACKAGES_DIR}/debug/include)
vcpkg_install_copyright(FILE_LIST ${SOURCE_PATH}/LICENSE)
