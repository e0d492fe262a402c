# cmake -P outside.cmake with KIND, SOURCE_DIR, BINARY_DIR (of mtl's own build), GENERATOR, TORCH_DIR, SANITIZE, LAUNCHER:
# configures, builds and runs the outside project KIND as its user would.
set(folder ${BINARY_DIR}/outside/${KIND})
file(MAKE_DIRECTORY ${folder})
set(arguments -S ${SOURCE_DIR}/tests/house/outside/${KIND} -B ${folder} -G ${GENERATOR} -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O0
    -DMTL_TORCH_DIR=${TORCH_DIR} -DMTL_SANITIZE=${SANITIZE} -DMTL_SOURCE_DIR=${SOURCE_DIR}
    -DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER})
if(KIND STREQUAL find_package)
  execute_process(COMMAND ${CMAKE_COMMAND} --install ${BINARY_DIR} --prefix ${folder}/prefix
                  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
  list(APPEND arguments -DCMAKE_PREFIX_PATH=${folder}/prefix)
endif()
foreach(command "${CMAKE_COMMAND};${arguments}" "${CMAKE_COMMAND};--build;${folder}" "${folder}/outside")
  execute_process(COMMAND ${command} RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "outside project ${KIND}: '${command}' ended with ${result}")
  endif()
endforeach()
