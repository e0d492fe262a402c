# Each folder of a target's sources becomes one translation unit: LibTorch's headers are read once a folder, not once a
# file. From scratch that is several times faster; after an edit of one file it is slower, so that preset `dev` does without.
# mtl_compile_by_folder(target [files]): with `files`, units of at most so many, so that several processors have work.
function(mtl_compile_by_folder target)
  if(NOT MTL_UNITY_BUILD)
    return()
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  # GCC takes the sources for headers there, whose types should not depend on an anonymous namespace.
  target_compile_options(${target} PRIVATE -Wno-subobject-linkage)
  get_target_property(sources ${target} SOURCES)
  set(count 0)
  foreach(source ${sources})
    get_filename_component(folder ${source} DIRECTORY)
    string(MAKE_C_IDENTIFIER "from_${folder}" group)
    if(ARGC GREATER 1)
      math(EXPR part "${count} / ${ARGV1}")
      string(APPEND group "_${part}")
      math(EXPR count "${count} + 1")
    endif()
    set_source_files_properties(${source} PROPERTIES UNITY_GROUP ${group})
  endforeach()
endfunction()
