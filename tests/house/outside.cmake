# cmake -P outside.cmake with KIND, SOURCE_DIR, BINARY_DIR (of mtl's own build), GENERATOR, TORCH_DIR, SANITIZE, LAUNCHER,
# COMPILER: configures, builds and runs the outside project KIND as its user would.
set(folder ${BINARY_DIR}/outside/${KIND})
file(MAKE_DIRECTORY ${folder})
set(arguments -S ${SOURCE_DIR}/tests/house/outside/${KIND} -B ${folder} -G ${GENERATOR} -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O0
    -DMTL_TORCH_DIR=${TORCH_DIR} -DMTL_SANITIZE=${SANITIZE} -DMTL_SOURCE_DIR=${SOURCE_DIR}
    -DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER})
if(KIND STREQUAL find_package OR KIND STREQUAL pkg_config)
  execute_process(COMMAND ${CMAKE_COMMAND} --install ${BINARY_DIR} --prefix ${folder}/prefix
                  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
  list(APPEND arguments -DCMAKE_PREFIX_PATH=${folder}/prefix)
endif()
set(command_1 ${CMAKE_COMMAND} ${arguments})
set(command_2 ${CMAKE_COMMAND} --build ${folder})

if(KIND STREQUAL pkg_config)
  file(GLOB_RECURSE found ${folder}/prefix/mtl.pc)
  get_filename_component(found "${found}" DIRECTORY)
  execute_process(COMMAND ${CMAKE_COMMAND} -E env PKG_CONFIG_PATH=${found} pkg-config --cflags --libs "mtl >= 0.2"
                  OUTPUT_VARIABLE flags OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  separate_arguments(flags UNIX_COMMAND "${flags}")
  file(GLOB_RECURSE library ${folder}/prefix/libmtl.*)
  list(GET library 0 library)
  get_filename_component(library ${library} DIRECTORY)
  set(compile ${LAUNCHER} ${COMPILER} -std=c++20 -O0 ${flags})
  set(command_1 ${compile} -c ${SOURCE_DIR}/tests/house/outside/main.cpp -o ${folder}/main.o)
  set(command_2 ${COMPILER} ${folder}/main.o -o ${folder}/outside ${flags} -Wl,-rpath,${library})
endif()

# What find_package refuses it refuses in words.
function(refused request words)
  file(WRITE ${folder}/refused/CMakeLists.txt
       "cmake_minimum_required(VERSION 3.22)\nproject(refused LANGUAGES CXX)\nfind_package(mtl ${request})\n")
  execute_process(COMMAND ${CMAKE_COMMAND} -S ${folder}/refused -B ${folder}/refused/build -DCMAKE_PREFIX_PATH=${folder}/prefix
                  RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  string(REGEX REPLACE "[ \n]+" " " output "${output}")
  if(result EQUAL 0 OR NOT output MATCHES "${words}")
    message(FATAL_ERROR "find_package(mtl ${request}) should say '${words}', it ended with ${result}: ${output}")
  endif()
endfunction()
if(KIND STREQUAL find_package)
  refused("9 REQUIRED" "compatible with requested version \"9\".*mtlConfig.cmake, version: 0\\.")
  refused("0.2 REQUIRED COMPONENTS sounds" "component \"sounds\" of mtl: there is no such component. there are: images, cuda")
endif()

set(command_3 ${folder}/outside)
foreach(step 1 2 3)
  execute_process(COMMAND ${command_${step}} RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "outside project ${KIND}: '${command_${step}}' ended with ${result}")
  endif()
endforeach()
