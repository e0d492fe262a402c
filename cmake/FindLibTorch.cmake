# Finds LibTorch and makes the target `mtl_libtorch`, which brings the fmt that goes with it.
#
# MTL_TORCH_DIR: a LibTorch folder with include/ and lib/ (the download from pytorch.org, or the package folder of
# `pip install torch`). Empty: the system's LibTorch (Debian's libtorch-dev).
# MTL_TORCH_CUDA: also link the CUDA part of that folder.
#
# LibTorch's own CMake package is passed over on purpose: that of the pip wheel fails without a matching CUDA tool
# kit and mixes in the system's libc10 where both are installed.
set(MTL_TORCH_DIR "" CACHE PATH "LibTorch folder (include/, lib/); empty for the system's")
option(MTL_TORCH_CUDA "Link LibTorch's CUDA part" OFF)

if(MTL_TORCH_DIR)
  set(_search PATHS ${MTL_TORCH_DIR}/lib NO_DEFAULT_PATH)
  set(_headers PATHS ${MTL_TORCH_DIR}/include NO_DEFAULT_PATH)
endif()
# Not cached: a changed MTL_TORCH_DIR takes effect at once.
foreach(_name torch_cpu c10 torch_cuda c10_cuda)
  unset(_lib_${_name})
  find_library(_lib_${_name} ${_name} ${_search} NO_CACHE)
endforeach()
find_path(LibTorch_INCLUDE_DIR torch/csrc/api/include/torch/torch.h ${_headers} NO_CACHE)

foreach(_header torch/csrc/api/include/torch/version.h torch/headeronly/version.h)
  if(LibTorch_INCLUDE_DIR AND EXISTS ${LibTorch_INCLUDE_DIR}/${_header})
    file(STRINGS ${LibTorch_INCLUDE_DIR}/${_header} _lines REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) +[0-9]+")
    string(REGEX MATCHALL "[0-9]+" _numbers "${_lines}")
    if(_numbers)
      list(JOIN _numbers "." LibTorch_VERSION)
    endif()
  endif()
endforeach()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch
  REQUIRED_VARS _lib_torch_cpu _lib_c10 LibTorch_INCLUDE_DIR VERSION_VAR LibTorch_VERSION
  REASON_FAILURE_MESSAGE "Install libtorch-dev, or set MTL_TORCH_DIR to a LibTorch folder.")

# Said here rather than by a page of errors from LibTorch's own headers.
if(LibTorch_FOUND AND LibTorch_VERSION VERSION_LESS 2 AND CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  message(FATAL_ERROR
    "clang does not compile the headers of LibTorch ${LibTorch_VERSION} as C++20, which mtl needs. Take g++ 12 or later "
    "(-DCMAKE_CXX_COMPILER=g++), or LibTorch 2 (-DMTL_TORCH_DIR= the folder of `pip install torch`).")
endif()
if((CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 12) OR
   (CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 16))
  message(FATAL_ERROR
    "mtl needs g++ 12 or clang 16, or later; found ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}.")
endif()

# Asked for, and not there: said before it is a missing symbol at run time.
if(LibTorch_FOUND AND MTL_TORCH_CUDA AND NOT (_lib_torch_cuda AND _lib_c10_cuda))
  message(FATAL_ERROR
    "MTL_TORCH_CUDA is on, but the LibTorch of ${_lib_torch_cpu} has no libtorch_cuda: it is a build for the CPU. "
    "Take a CUDA build (-DMTL_TORCH_DIR=), or turn MTL_TORCH_CUDA off.")
endif()

if(LibTorch_FOUND AND NOT TARGET mtl_libtorch)
  add_library(mtl_libtorch INTERFACE IMPORTED GLOBAL)
  target_include_directories(mtl_libtorch SYSTEM INTERFACE ${LibTorch_INCLUDE_DIR}
                             ${LibTorch_INCLUDE_DIR}/torch/csrc/api/include)
  target_link_libraries(mtl_libtorch INTERFACE ${_lib_torch_cpu} ${_lib_c10})
  if(MTL_TORCH_DIR AND EXISTS ${LibTorch_INCLUDE_DIR}/fmt/format.h)
    # The wheel has fmt's headers among its own, and they come first: use them whole, without the system's library.
    target_compile_definitions(mtl_libtorch INTERFACE FMT_HEADER_ONLY=1)
  else()
    find_package(fmt REQUIRED)
    target_link_libraries(mtl_libtorch INTERFACE fmt::fmt)
  endif()
  if(MTL_TORCH_CUDA)
    # Nothing calls the CUDA part by name, it registers itself: keep the linker from dropping it.
    target_link_options(mtl_libtorch INTERFACE "LINKER:--no-as-needed,${_lib_torch_cuda},--as-needed")
    target_link_libraries(mtl_libtorch INTERFACE ${_lib_c10_cuda})
  endif()
  if(MTL_TORCH_DIR)
    # The wheel keeps the CUDA runtime it was linked with in sibling packages, and libtorch_cpu.so does not say where:
    # an rpath of the old kind is searched for what our libraries need in their turn, too.
    file(GLOB _nvidia ${MTL_TORCH_DIR}/../nvidia/*/lib)
    foreach(_dir ${_nvidia})
      target_link_options(mtl_libtorch INTERFACE "LINKER:--disable-new-dtags,-rpath,${_dir}")
    endforeach()
  endif()
  include(${CMAKE_CURRENT_LIST_DIR}/mtl_probe_libtorch.cmake)
  mtl_probe_libtorch(${_lib_c10})
endif()
