# cmake -P libtorch_mismatch.cmake with SOURCE_DIR, FOLDER, COMPILER, GENERATOR: makes LibTorch folders with a fault each, as
# small as they can be, and looks whether FindLibTorch names it.
file(REMOVE_RECURSE ${FOLDER})
file(WRITE ${FOLDER}/c10.cpp "#include <string>
namespace c10::detail { void torchCheckFail(const char*, const char*, unsigned, const std::string&) { throw 0; } }\n")
file(WRITE ${FOLDER}/nothing.cpp "")
file(WRITE ${FOLDER}/cudart.cpp "void runtime() {}\n")
file(WRITE ${FOLDER}/cpu.cpp "void runtime(); void cpu() { runtime(); }\n")
file(WRITE ${FOLDER}/outside/CMakeLists.txt "cmake_minimum_required(VERSION 3.22)
project(outside LANGUAGES CXX)
list(APPEND CMAKE_MODULE_PATH ${SOURCE_DIR}/cmake)
find_package(LibTorch REQUIRED)\n")

# make_torch(name [flags of libc10]): LibTorch's folders, its version, and libraries without content but for the probe's function.
function(make_torch name)
  set(torch ${FOLDER}/${name})
  file(WRITE ${torch}/include/torch/csrc/api/include/torch/torch.h "")
  file(WRITE ${torch}/include/torch/headeronly/version.h
       "#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 15\n#define TORCH_VERSION_PATCH 0\n")
  file(WRITE ${torch}/include/fmt/format.h "")
  file(MAKE_DIRECTORY ${torch}/lib)
  execute_process(COMMAND ${COMPILER} -std=c++17 -shared -fPIC ${ARGN} ${FOLDER}/c10.cpp -o ${torch}/lib/libc10.so
                  COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND ${COMPILER} -shared -fPIC ${FOLDER}/nothing.cpp -o ${torch}/lib/libtorch_cpu.so
                  COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# found(name words [options]): what configuring with that folder says; no words: it goes through.
function(found name words)
  execute_process(COMMAND ${CMAKE_COMMAND} -S ${FOLDER}/outside -B ${FOLDER}/${name}/build -G ${GENERATOR}
                  -DCMAKE_CXX_COMPILER=${COMPILER} -DMTL_TORCH_DIR=${FOLDER}/${name} ${ARGN}
                  RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  string(REGEX REPLACE "[ \n]+" " " output "${output}")
  if(words AND (result EQUAL 0 OR NOT output MATCHES "${words}"))
    message(SEND_ERROR "${name}: it should say '${words}', it ended with ${result}: ${output}")
  elseif(NOT words AND NOT result EQUAL 0)
    message(SEND_ERROR "${name}: nothing is wrong with it, it ended with ${result}: ${output}")
  endif()
endfunction()

make_torch(good)
found(good "")
found(good "MTL_TORCH_CUDA is on, but the LibTorch .* has no libtorch_cuda" -DMTL_TORCH_CUDA=ON)

make_torch(old_strings -D_GLIBCXX_USE_CXX11_ABI=0)
found(old_strings "disagree about std::string: .* was compiled with _GLIBCXX_USE_CXX11_ABI=0")
found(old_strings "" -DCMAKE_CXX_FLAGS=-D_GLIBCXX_USE_CXX11_ABI=0)

make_torch(without_cuda)
file(MAKE_DIRECTORY ${FOLDER}/elsewhere)
execute_process(COMMAND ${COMPILER} -shared -fPIC ${FOLDER}/cudart.cpp -Wl,-soname,libcudart.so.99 -o ${FOLDER}/elsewhere/libcudart.so.99
                COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${COMPILER} -shared -fPIC ${FOLDER}/cpu.cpp ${FOLDER}/elsewhere/libcudart.so.99
                -o ${FOLDER}/without_cuda/lib/libtorch_cpu.so COMMAND_ERROR_IS_FATAL ANY)
found(without_cuda "is a CUDA build, and CUDA libraries that it needs are not there, or are of another version: libcudart.so.99")

make_torch(other)
file(WRITE ${FOLDER}/c10.cpp "")
make_torch(other)
found(other "does not link with .*libc10.so, whichever _GLIBCXX_USE_CXX11_ABI")
