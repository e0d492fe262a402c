# mtl_probe_libtorch(c10): links two programs of a line with the LibTorch that was found, and says in words what would
# otherwise be a page of undefined references at the end of the first build. Asked anew when LibTorch, compiler or flags change.
function(mtl_probe_libtorch c10)
  if(CMAKE_CROSSCOMPILING OR NOT CMAKE_SYSTEM_NAME STREQUAL "Linux")
    return()  # what linkers say elsewhere is not known here
  endif()
  set(asked "${c10};${MTL_TORCH_CUDA};${CMAKE_CXX_COMPILER};${CMAKE_CXX_COMPILER_VERSION};${CMAKE_CXX_FLAGS};${CMAKE_EXE_LINKER_FLAGS}")
  if("${MTL_LIBTORCH_PROBED}" STREQUAL "${asked}")
    return()
  endif()
  set(folder ${CMAKE_BINARY_DIR}/CMakeFiles/mtl_probe_libtorch)
  # Declared here rather than included: LibTorch's headers take seconds to read.
  file(WRITE ${folder}/text.cpp "#include <string>
namespace c10::detail { [[noreturn]] void torchCheckFail(const char*, const char*, unsigned, const std::string&); }
int main(int count, char**) { if (count > 9) c10::detail::torchCheckFail(\"\", \"\", 0, std::string(\"\")); }
")
  file(WRITE ${folder}/nothing.cpp "int main() {}\n")

  # How the standard library's strings lie in memory: LibTorch's choice has to be the program's.
  set(links_0 OFF)
  set(links_1 OFF)
  foreach(flag "" -D_GLIBCXX_USE_CXX11_ABI=0 -D_GLIBCXX_USE_CXX11_ABI=1)
    try_compile(links ${folder}/text ${folder}/text.cpp COMPILE_DEFINITIONS ${flag} LINK_LIBRARIES ${c10}
                CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON OUTPUT_VARIABLE output)
    if(NOT flag)
      set(as_given "${output}")
      if(links)
        break()
      endif()
    else()
      string(REGEX MATCH "[01]$" abi ${flag})
      set(links_${abi} ${links})
    endif()
  endforeach()
  if(NOT links)
    foreach(abi 0 1)
      if(links_${abi})
        message(FATAL_ERROR
          "LibTorch and this compiler disagree about std::string: ${c10} was compiled with _GLIBCXX_USE_CXX11_ABI=${abi}, "
          "the compiler with these flags is not. Take the other build of LibTorch (the 'cxx11 ABI' one for a compiler of "
          "today), or compile everything, dependencies included, with -D_GLIBCXX_USE_CXX11_ABI=${abi}.")
      endif()
    endforeach()
    message(FATAL_ERROR "A program of one line does not link with ${c10}, whichever _GLIBCXX_USE_CXX11_ABI it has (another "
                        "standard library, as with -stdlib=libc++, or another processor?). The linker says:\n${as_given}")
  endif()

  # Whether what LibTorch's own libraries need is there: a CUDA build wants CUDA's, even where the program does not.
  try_compile(links ${folder}/nothing ${folder}/nothing.cpp LINK_LIBRARIES -Wl,--no-as-needed mtl_libtorch
              OUTPUT_VARIABLE output)
  if(NOT links)
    string(REGEX MATCHALL "lib[A-Za-z0-9_+-]+\\.so[.0-9]*,? needed by" missing "${output}")
    string(REGEX REPLACE ",? needed by" "" missing "${missing}")
    list(REMOVE_DUPLICATES missing)
    list(JOIN missing ", " names)
    if(names MATCHES "cuda|cupti|cublas|cudnn|cufft|curand|cusolver|cusparse|nccl|nvrtc|nvJitLink|nvshmem|nvToolsExt")
      message(FATAL_ERROR
        "The LibTorch of ${c10} is a CUDA build, and CUDA libraries that it needs are not there, or are of another version: ${names}. "
        "Install the CUDA tool kit of that version; or, beside a wheel, what it needs of it (for the CPU part alone: "
        "pip install nvidia-cuda-runtime nvidia-cuda-cupti); or take a build of LibTorch for the CPU.")
    endif()
    if(names)
      message(FATAL_ERROR "Libraries that the LibTorch of ${c10} needs are not there: ${names}.")
    endif()
    message(FATAL_ERROR "An empty program does not link with the LibTorch of ${c10}. The linker says:\n${output}")
  endif()
  set(MTL_LIBTORCH_PROBED "${asked}" CACHE INTERNAL "LibTorch, compiler and flags that go together")
endfunction()
